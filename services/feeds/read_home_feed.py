"""Use case: a page of the viewer's home feed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from db.database import ReadSession
from db.feed_candidates import FeedViewer, IdRange, load_all_ids, load_feed_viewer
from db.replica_state import load_shown_moment
from domain.errors import CacheUnavailableError, UnauthenticatedError, UnavailableError
from domain.feed import FeedDegradation, FeedEntry, FeedOrder, FeedPage, FeedState, FeedStatus
from domain.ids import MAX_ID
from domain.paging import PageInfo, PageRequest
from services.backends import Backends
from services.feeds.feed_candidates import CandidateReader
from services.feeds.feed_cursors import FeedPlace, Moment, open_place, seal_moment, seal_no_moment, seal_place
from services.feeds.feed_entry import make_entry
from services.feeds.feed_shelf import MAX_ENTRIES
from services.feeds.judge_reasons import JudgedReason, ReasonJudge
from services.feeds.page_extras import load_page_extras
from services.feeds.shelf_format import ShelvedPage
from services.fill_page import FilledPage, fill_page

DELAYED_AFTER = timedelta(seconds=10)
"""A post whose fan-out is open for so long is worth a word, though the page has it."""


async def read_home_feed(backends: Backends, *, viewer_id: int, page: PageRequest, order: FeedOrder | None) -> FeedPage:
    """Viewer → candidates → hydrate → feed rule → page. `order`: None for the viewer's preference.

    Every entry committed before the page's `as_of` is on it. While the database is away: from the replica, or from the
    shelf, and `complete` is false. Raises InvalidCursorError, UnauthenticatedError (the account is gone or suspended),
    UnavailableError.
    """
    place = open_place(backends.sealer, viewer_id, page.cursor) if page.cursor is not None else None
    try:
        return await _read_primary(backends, viewer_id, page, place, order)
    except UnavailableError:
        found = await _read_replica(backends, viewer_id, page, place, order)
        found = found or await backends.feed_shelf.read(viewer_id, page, place=place, order=order)
        if found is None:
            raise
        return found


async def _read_primary(
    backends: Backends, viewer_id: int, page: PageRequest, place: FeedPlace | None, order: FeedOrder | None
) -> FeedPage:
    began = time.perf_counter()
    stamps = await backends.feed_shelf.begin(viewer_id, page)
    async with backends.database.reading() as session:
        viewer = await _load_viewer(session, viewer_id)
        floor = _floor(viewer, place)
        reader = CandidateReader(backends, session, viewer_id, viewer, page.backward, floor)
        filled = await _fill(backends, session, viewer_id, viewer, page, place, floor, reader.next_ids)
        edges = [entry for _, entry in filled.items]
        extras = await load_page_extras(session, edges[:MAX_ENTRIES], viewer_id=viewer_id) if stamps is not None else None
    found = _to_page(backends, viewer_id, viewer, page, order, filled, floor, _degradations(viewer, reader))
    if stamps is not None and extras is not None:
        backends.feed_shelf.keep(
            viewer_id,
            ShelvedPage(
                database=viewer.database_identity,
                place=stamps,
                as_of=viewer.as_of,
                event_cursor=found.event_cursor,
                order=viewer.preferences.default_order,
                state=found.status.state,
                has_more=filled.has_more,
                end=filled.end or 0,
                floor=floor,
                hides_seen=viewer.preferences.hide_seen,
                entries=edges,
                extras=extras,
            ),
        )
    source = reader.warmth.value if reader.warmth is not None else "database"
    backends.observer.feed_was_read(source=source, seconds=time.perf_counter() - began)
    return found


async def _read_replica(
    backends: Backends, viewer_id: int, page: PageRequest, place: FeedPlace | None, order: FeedOrder | None
) -> FeedPage | None:
    """The same from the replica's truth alone; None where it does not answer. The cache is for the primary's readers.

    A replica is behind: entries of which something has changed after the moment that it shows are left out.
    """
    if backends.replica is None:
        return None
    began = time.perf_counter()
    try:
        async with backends.replica.reading() as session:
            shown = await load_shown_moment(session)
            viewer = await _load_viewer(session, viewer_id)
            floor = _floor(viewer, place)

            async def next_ids(position: int, count: int) -> list[int]:
                newer = IdRange(above=max(position, floor), ascending=True)
                span = newer if page.backward else IdRange(above=floor, below=position)
                return await load_all_ids(session, viewer_id, span, size=count)

            filled = await _fill(backends, session, viewer_id, viewer, page, place, floor, next_ids)
            extras = await load_page_extras(session, [entry for _, entry in filled.items], viewer_id=viewer_id)
    except UnavailableError:
        return None
    viewer = replace(viewer, as_of=shown)
    degradations = [FeedDegradation.DATABASE_UNAVAILABLE]
    found = _to_page(backends, viewer_id, viewer, page, order, filled, floor, degradations)
    hides_seen = viewer.preferences.hide_seen
    try:
        edges = await backends.feed_shelf.leave_out_changed(viewer_id, found.edges, extras, after=shown, hides_seen=hides_seen)
    except CacheUnavailableError:
        # Nobody can say what the replica does not show yet. It is the work of an instant: better than no page at all.
        edges = found.edges
        degradations.insert(0, FeedDegradation.CACHE_UNAVAILABLE)
    if edges is None:
        return None
    backends.observer.feed_was_read(source="replica", seconds=time.perf_counter() - began)
    return replace(
        found,
        edges=edges,
        status=replace(found.status, complete=False),
        # The replica's snapshot says nothing about the primary's transactions: resume by reading the feed again.
        event_cursor=seal_no_moment(backends.sealer, viewer_id),
        extras=extras,
    )


async def _load_viewer(session: ReadSession, viewer_id: int) -> FeedViewer:
    viewer = await load_feed_viewer(session, viewer_id)
    if viewer is None:
        raise UnauthenticatedError("sign in to see your feed")
    return viewer


async def _fill(
    backends: Backends,
    session: ReadSession,
    viewer_id: int,
    viewer: FeedViewer,
    page: PageRequest,
    place: FeedPlace | None,
    floor: int,
    next_ids: Callable[[int, int], Awaitable[list[int]]],
) -> FilledPage[int, FeedEntry]:
    judge = ReasonJudge.of(backends, session, viewer_id, viewer)

    async def fetch(position: int, count: int) -> list[tuple[int, FeedEntry | None]]:
        ids = await next_ids(position, count)
        judged = await judge.judge(ids)
        return [(reason_id, _entry(backends, viewer_id, floor, judged.get(reason_id))) for reason_id in ids]

    start = place.id if place is not None else (0 if page.backward else MAX_ID)
    return await fill_page(fetch, start=start, size=page.size)


def _to_page(
    backends: Backends,
    viewer_id: int,
    viewer: FeedViewer,
    page: PageRequest,
    order: FeedOrder | None,
    filled: FilledPage[int, FeedEntry],
    floor: int,
    degradations: list[FeedDegradation],
) -> FeedPage:
    edges = [entry for _, entry in filled.items]
    if page.backward:
        edges.reverse()
    end = seal_place(backends.sealer, viewer_id, FeedPlace(filled.end, floor)) if filled.end is not None else None
    page_info = _page_info(page, filled, edges, end)
    if (order or viewer.preferences.default_order) is FeedOrder.RANKED:
        degradations.append(FeedDegradation.RANKER_UNAVAILABLE)
    return FeedPage(
        edges=edges,
        page_info=page_info,
        status=FeedStatus(
            state=_state(viewer, page, page_info, floor, is_empty=not edges),
            complete=True,
            as_of=viewer.as_of,
            order=FeedOrder.LATEST,
            ranked_by=None,
            degradations=degradations,
        ),
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


def _degradations(viewer: FeedViewer, reader: CandidateReader) -> list[FeedDegradation]:
    degradations = []
    if reader.is_cache_unavailable:
        degradations.append(FeedDegradation.CACHE_UNAVAILABLE)
    if reader.oldest_open_at is not None and viewer.as_of - reader.oldest_open_at > DELAYED_AFTER:
        degradations.append(FeedDegradation.FAN_OUT_DELAYED)
    return degradations


def _state(viewer: FeedViewer, page: PageRequest, page_info: PageInfo, floor: int, *, is_empty: bool) -> FeedState:
    if page_info.has_next_page:
        return FeedState.READY
    # With a floor the page leaves out what was seen, so there were posts.
    if is_empty and page.cursor is None and floor == 0:
        return FeedState.EMPTY_NO_POSTS if viewer.has_sources else FeedState.EMPTY_NO_FOLLOWS
    return FeedState.END_OF_FEED
