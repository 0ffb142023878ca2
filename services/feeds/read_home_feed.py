"""Use case: a page of the viewer's home feed."""

from __future__ import annotations

import time
from datetime import timedelta

from db.feed_candidates import FeedViewer, load_feed_viewer
from db.posts import load_posts
from domain.errors import UnauthenticatedError
from domain.feed import FeedDegradation, FeedEntry, FeedOrder, FeedPage, FeedState, FeedStatus
from domain.ids import MAX_ID
from domain.paging import PageInfo, PageRequest
from services.backends import Backends
from services.feeds.feed_candidates import CandidateReader
from services.feeds.feed_cursors import Moment, place_scope, seal_moment
from services.feeds.feed_entry import entry_for
from services.fill_page import FilledPage, fill_page

DELAYED_AFTER = timedelta(seconds=10)
"""A post whose fan-out is open for so long is worth a word, though the page has it."""


async def read_home_feed(backends: Backends, *, viewer_id: int, page: PageRequest, order: FeedOrder) -> FeedPage:
    """Viewer → candidates → hydrate → visibility → page.

    Every entry committed before the page's `as_of` is on it. Raises InvalidCursorError, UnauthenticatedError (the account is
    gone or suspended), UnavailableError.
    """
    began = time.perf_counter()
    # There is no ranker yet: RANKED is answered with LATEST and says so.
    scope = place_scope(viewer_id, FeedOrder.LATEST)
    start = backends.sealer.open_ids(scope, page.cursor)[0] if page.cursor else (0 if page.backward else MAX_ID)

    async with backends.database.reading() as session:
        viewer = await load_feed_viewer(session, viewer_id)
        if viewer is None:
            raise UnauthenticatedError("sign in to see your feed")
        reader = CandidateReader(backends, session, viewer_id, viewer, page.backward)

        async def fetch(position: int, count: int) -> list[tuple[int, FeedEntry | None]]:
            ids = await reader.next_ids(position, count)
            facts = await load_posts(session, ids, viewer_id=viewer_id) if ids else {}
            return [
                (post_id, entry_for(backends.sealer, *facts[post_id], viewer_id=viewer_id) if post_id in facts else None)
                for post_id in ids
            ]

        filled = await fill_page(fetch, start=start, size=page.size)

    edges = [entry for _, entry in filled.items]
    if page.backward:
        edges.reverse()
    page_info = _page_info(page, filled, edges, backends.sealer.seal_ids(scope, filled.end) if filled.end is not None else None)
    source = reader.warmth.value if reader.warmth is not None else "database"
    backends.observer.feed_was_read(source=source, seconds=time.perf_counter() - began)
    return FeedPage(
        edges=edges,
        page_info=page_info,
        status=_status(viewer, reader, page, order, page_info, is_empty=not edges),
        event_cursor=seal_moment(backends.sealer, viewer_id, Moment(viewer.snapshot, viewer.as_of)),
    )


def _page_info(page: PageRequest, filled: FilledPage[int, FeedEntry], edges: list[FeedEntry], end: str | None) -> PageInfo:
    first = edges[0].cursor if edges else None
    last = edges[-1].cursor if edges else None
    came_from = page.cursor is not None
    end = end or page.cursor
    if page.backward:
        return PageInfo(has_next_page=came_from, has_previous_page=filled.has_more, start_cursor=end, end_cursor=last)
    return PageInfo(has_next_page=filled.has_more, has_previous_page=came_from, start_cursor=first, end_cursor=end)


def _status(
    viewer: FeedViewer,
    reader: CandidateReader,
    page: PageRequest,
    order: FeedOrder,
    page_info: PageInfo,
    *,
    is_empty: bool,
) -> FeedStatus:
    degradations = []
    if reader.is_cache_unavailable:
        degradations.append(FeedDegradation.CACHE_UNAVAILABLE)
    if order is FeedOrder.RANKED:
        degradations.append(FeedDegradation.RANKER_UNAVAILABLE)
    if reader.oldest_open_at is not None and viewer.as_of - reader.oldest_open_at > DELAYED_AFTER:
        degradations.append(FeedDegradation.FAN_OUT_DELAYED)
    return FeedStatus(
        state=_state(viewer, page, page_info, is_empty=is_empty),
        complete=True,
        as_of=viewer.as_of,
        order=FeedOrder.LATEST,
        ranked_by=None,
        degradations=degradations,
    )


def _state(viewer: FeedViewer, page: PageRequest, page_info: PageInfo, *, is_empty: bool) -> FeedState:
    if page_info.has_next_page:
        return FeedState.READY
    if is_empty and page.cursor is None:
        return FeedState.EMPTY_NO_FOLLOWS if viewer.following_count == 0 else FeedState.EMPTY_NO_POSTS
    return FeedState.END_OF_FEED
