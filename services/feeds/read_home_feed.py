"""Use case: a page of the viewer's home feed."""

from __future__ import annotations

import time
from datetime import timedelta

from db.feed_candidates import FeedViewer, load_feed_viewer
from domain.errors import UnauthenticatedError
from domain.feed import FeedDegradation, FeedEntry, FeedOrder, FeedPage, FeedState, FeedStatus
from domain.ids import MAX_ID
from domain.paging import PageInfo, PageRequest
from services.backends import Backends
from services.feeds.feed_candidates import CandidateReader
from services.feeds.feed_cursors import FeedPlace, Moment, open_place, seal_moment, seal_place
from services.feeds.feed_entry import make_entry
from services.feeds.judge_reasons import JudgedReason, ReasonJudge
from services.fill_page import FilledPage, fill_page

DELAYED_AFTER = timedelta(seconds=10)
"""A post whose fan-out is open for so long is worth a word, though the page has it."""


async def read_home_feed(backends: Backends, *, viewer_id: int, page: PageRequest, order: FeedOrder | None) -> FeedPage:
    """Viewer → candidates → hydrate → feed rule → page. `order`: None for the viewer's preference.

    Every entry committed before the page's `as_of` is on it. Raises InvalidCursorError, UnauthenticatedError (the account is
    gone or suspended), UnavailableError.
    """
    began = time.perf_counter()
    place = open_place(backends.sealer, viewer_id, page.cursor) if page.cursor else None
    async with backends.database.reading() as session:
        viewer = await load_feed_viewer(session, viewer_id)
        if viewer is None:
            raise UnauthenticatedError("sign in to see your feed")
        floor = _floor(viewer, place)
        reader = CandidateReader(backends, session, viewer_id, viewer, page.backward, floor)
        judge = ReasonJudge.of(backends, session, viewer_id, viewer)

        async def fetch(position: int, count: int) -> list[tuple[int, FeedEntry | None]]:
            ids = await reader.next_ids(position, count)
            judged = await judge.judge(ids)
            return [(reason_id, _entry(backends, viewer_id, floor, judged.get(reason_id))) for reason_id in ids]

        start = place.id if place is not None else (0 if page.backward else MAX_ID)
        filled = await fill_page(fetch, start=start, size=page.size)

    edges = [entry for _, entry in filled.items]
    if page.backward:
        edges.reverse()
    end = seal_place(backends.sealer, viewer_id, FeedPlace(filled.end, floor)) if filled.end is not None else None
    page_info = _page_info(page, filled, edges, end)
    source = reader.warmth.value if reader.warmth is not None else "database"
    backends.observer.feed_was_read(source=source, seconds=time.perf_counter() - began)
    return FeedPage(
        edges=edges,
        page_info=page_info,
        status=_status(viewer, reader, page, order or viewer.preferences.default_order, page_info, is_empty=not edges),
        event_cursor=seal_moment(backends.sealer, viewer_id, Moment(viewer.snapshot, viewer.as_of)),
    )


def _floor(viewer: FeedViewer, place: FeedPlace | None) -> int:
    """Below which the walk shows nothing: what had been seen when it began, for those who do not want to see it again."""
    if place is not None and place.floor is not None:
        return place.floor
    return viewer.position if viewer.preferences.hide_seen else 0


def _entry(backends: Backends, viewer_id: int, floor: int, judged: JudgedReason | None) -> FeedEntry | None:
    if judged is None or not judged.is_shown:
        return None
    facts = judged.verdict.reason.facts
    return make_entry(backends.sealer, facts, judged.named, viewer_id=viewer_id, floor=floor)


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
        state=_state(viewer, page, page_info, reader.floor, is_empty=is_empty),
        complete=True,
        as_of=viewer.as_of,
        order=FeedOrder.LATEST,
        ranked_by=None,
        degradations=degradations,
    )


def _state(viewer: FeedViewer, page: PageRequest, page_info: PageInfo, floor: int, *, is_empty: bool) -> FeedState:
    if page_info.has_next_page:
        return FeedState.READY
    # With a floor the page leaves out what was seen, so there were posts.
    if is_empty and page.cursor is None and floor == 0:
        return FeedState.EMPTY_NO_POSTS if viewer.has_sources else FeedState.EMPTY_NO_FOLLOWS
    return FeedState.END_OF_FEED
