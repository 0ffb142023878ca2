"""Use case: a page of the viewer's home feed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

from db.database import ReadSession
from db.feed_candidates import FeedViewer, IdRange, load_all_ids, load_feed_viewer
from db.replica_state import load_shown_moment
from domain.errors import CacheUnavailableError, UnauthenticatedError, UnavailableError
from domain.feed import FeedDegradation, FeedEntry, FeedOrder, FeedPage
from domain.ids import MAX_ID
from domain.paging import PageRequest
from services.backends import Backends
from services.feeds.feed_candidates import CandidateReader
from services.feeds.feed_cursors import FeedPlace, open_place, place_sealer, seal_no_moment
from services.feeds.feed_entry import make_entry
from services.feeds.feed_shelf import MAX_ENTRIES
from services.feeds.judge_reasons import JudgedReason, ReasonJudge
from services.feeds.page_extras import load_page_extras
from services.feeds.page_shape import DELAYED_AFTER, floor_of, make_page
from services.feeds.quick_page import read_quick_page
from services.feeds.shelf_format import ShelvedPage
from services.fill_page import FilledPage, fill_page
from services.memory.known_viewers import SeenViewer


async def read_home_feed(
    backends: Backends,
    *,
    viewer_id: int,
    page: PageRequest,
    order: FeedOrder | None,
    seen: SeenViewer | None = None,
    with_marks: bool = False,
) -> FeedPage:
    """Viewer → candidates → hydrate → feed rule → page. `order`: None for the viewer's preference.

    `seen`: a look at the viewer since the question came, if there was one. `with_marks`: whether what the viewer has done with
    the posts may as well come along. Every entry committed before the page's `as_of` is
    on it. While the database is away: from the replica, or from the shelf, and `complete` is false. Raises
    InvalidCursorError, UnauthenticatedError (the account is gone or suspended), UnavailableError.
    """
    place = open_place(backends.sealer, viewer_id, page.cursor) if page.cursor is not None else None
    try:
        quick = await read_quick_page(
            backends, viewer_id=viewer_id, page=page, place=place, order=order, seen=seen, with_marks=with_marks
        )
        if quick is None:
            return await _read_primary(backends, viewer_id, page, place, order)
    except UnavailableError:
        found = await _read_replica(backends, viewer_id, page, place, order)
        found = found or await backends.feed_shelf.read(viewer_id, page, place=place, order=order)
        if found is None:
            raise
        return found
    if backends.feed_shelf.is_due(viewer_id, page):

        async def read_whole() -> None:
            await _read_primary(backends, viewer_id, page, None, None)

        backends.feed_shelf.read_later(viewer_id, read_whole)
    return quick


async def _read_primary(
    backends: Backends, viewer_id: int, page: PageRequest, place: FeedPlace | None, order: FeedOrder | None
) -> FeedPage:
    began = time.perf_counter()
    stamps = await backends.feed_shelf.begin(viewer_id, page)
    async with backends.database.reading() as session:
        viewer = await _load_viewer(session, viewer_id)
        floor = floor_of(viewer, place)
        reader = CandidateReader(backends, session, viewer_id, viewer, page.backward, floor)
        filled = await _fill(backends, session, viewer_id, viewer, page, place, floor, reader.next_ids)
        edges = [entry for _, entry in filled.items]
        extras = await load_page_extras(session, edges[:MAX_ENTRIES], viewer_id=viewer_id) if stamps is not None else None
    found = make_page(
        backends, viewer_id, viewer, page, order, edges, filled.has_more, filled.end, floor, _degradations(viewer, reader)
    )
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
            floor = floor_of(viewer, place)

            async def next_ids(position: int, count: int) -> list[int]:
                newer = IdRange(above=max(position, floor), ascending=True)
                span = newer if page.backward else IdRange(above=floor, below=position)
                return await load_all_ids(session, viewer_id, span, size=count)

            filled = await _fill(backends, session, viewer_id, viewer, page, place, floor, next_ids)
            extras = await load_page_extras(session, [entry for _, entry in filled.items], viewer_id=viewer_id)
    except UnavailableError:
        return None
    viewer = viewer._replace(as_of=shown)
    degradations = [FeedDegradation.DATABASE_UNAVAILABLE]
    edges = [entry for _, entry in filled.items]
    found = make_page(backends, viewer_id, viewer, page, order, edges, filled.has_more, filled.end, floor, degradations)
    hides_seen = viewer.preferences.hide_seen
    try:
        left = await backends.feed_shelf.leave_out_changed(viewer_id, found.edges, extras, after=shown, hides_seen=hides_seen)
    except CacheUnavailableError:
        # Nobody can say what the replica does not show yet. It is the work of an instant: better than no page at all.
        left = found.edges
        degradations.insert(0, FeedDegradation.CACHE_UNAVAILABLE)
    if left is None:
        return None
    backends.observer.feed_was_read(source="replica", seconds=time.perf_counter() - began)
    return found._replace(
        edges=left,
        status=found.status._replace(complete=False),
        # The replica's snapshot says nothing about the primary's transactions: resume by reading the feed again.
        moment=seal_no_moment(backends.sealer, viewer_id),
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
    seal = place_sealer(backends.sealer, viewer_id, floor)

    async def fetch(position: int, count: int) -> list[tuple[int, FeedEntry | None]]:
        ids = await next_ids(position, count)
        judged = await judge.judge(ids)
        return [(reason_id, _entry(seal, judged.get(reason_id))) for reason_id in ids]

    start = place.id if place is not None else (0 if page.backward else MAX_ID)
    return await fill_page(fetch, start=start, size=page.size)


def _entry(seal: Callable[[Sequence[int]], list[str]], judged: JudgedReason | None) -> FeedEntry | None:
    if judged is None or not judged.is_shown:
        return None
    facts = judged.verdict.reason.facts
    return make_entry(seal([facts.post.id])[0], facts, judged.named)


def _degradations(viewer: FeedViewer, reader: CandidateReader) -> list[FeedDegradation]:
    degradations = []
    if reader.is_cache_unavailable:
        degradations.append(FeedDegradation.CACHE_UNAVAILABLE)
    if reader.oldest_open_at is not None and viewer.as_of - reader.oldest_open_at > DELAYED_AFTER:
        degradations.append(FeedDegradation.FAN_OUT_DELAYED)
    return degradations
