"""Use cases: the reader's place in the home feed, and how much there is above it."""

from __future__ import annotations

from typing import cast

from db.array_text import array_text
from db.database import ReadSession
from db.feed_candidates import FeedViewer, IdRange, load_all_ids, load_feed_viewer
from db.feed_positions import move_position
from db.unseen_counts import count_plain
from domain.errors import CacheUnavailableError, InvalidCursorError, RefusalCode, UnauthenticatedError, refused
from domain.feed import FeedPosition
from domain.feed_rule import follows_plainly
from domain.ids import MAX_ID
from services.backends import Backends
from services.feeds.feed_candidates import CandidateReader
from services.feeds.feed_cursors import FeedPlace, open_place, seal_place
from services.feeds.judge_reasons import ReasonJudge
from services.feeds.quick_candidates import feed_viewer, is_usual, read_candidates
from services.feeds.quick_judge import QuickJudge
from services.fill_page import fill_page
from services.memory.known_viewers import SeenViewer
from services.memory.memory import Memory

MAX_UNSEEN = 1_000
"""Where the count stops."""
_CANDIDATES = (100, MAX_UNSEEN + 50)
"""So many are looked at the quick way, more where those were not enough: caches tell few of the newest for sure, not all."""
_HAS_MANY = "has many unseen"
_PLAINLY_FOLLOWED = "plainly followed"
"""Among the notes on a viewer: whether the first number was not enough last time, and whom `follows_plainly` speaks of."""
_BEYOND_CACHES = "beyond the caches"
"""Likewise: the position down to which the caches did not reach, and how often that was believed since."""
_TIMES_BELIEVED = 7
_MAX_ROUNDS = 10
"""Times 2,000 candidates. Only a feed of which a filter takes all but every twentieth entry needs more than one round."""


async def read_feed_position(backends: Backends, *, viewer_id: int, seen: SeenViewer | None = None) -> FeedPosition:
    """How far the viewer has read, and how many entries lie above. `seen`: a look at the viewer since the question came.

    Raises UnauthenticatedError, UnavailableError.
    """
    quick = await _count_quickly(backends, viewer_id, seen)
    if quick is not None:
        return _position(backends, viewer_id, *quick)
    async with backends.database.reading() as session:
        viewer = await load_feed_viewer(session, viewer_id)
        if viewer is None:
            raise UnauthenticatedError("sign in to see your feed")
        unseen = await _count_unseen(backends, session, viewer_id, viewer)
    return _position(backends, viewer_id, viewer, unseen)


async def mark_feed_seen(backends: Backends, *, viewer_id: int, cursor: str) -> FeedPosition:
    """Moves the position to the entry of a cursor, if that is further than it was; the position as it is then.

    Several devices may do so at once: the furthest one wins. Raises RefusedError INVALID for no cursor of the viewer's feed.
    """
    try:
        place = open_place(backends.sealer, viewer_id, cursor)
    except InvalidCursorError:
        raise refused(RefusalCode.INVALID, "the cursor is not one of your feed", "cursor") from None
    async with backends.database.writing() as session:
        await move_position(session, viewer_id, place.id)
    return await read_feed_position(backends, viewer_id=viewer_id)


def _position(backends: Backends, viewer_id: int, viewer: FeedViewer, unseen: int) -> FeedPosition:
    return FeedPosition(seal_place(backends.sealer, viewer_id, FeedPlace(viewer.position)) if viewer.position else None, unseen)


async def _count_quickly(backends: Backends, viewer_id: int, seen: SeenViewer | None) -> tuple[FeedViewer, int] | None:
    """From what the process remembers, as `quick_page` reads a page; None where the other way must be taken."""
    memory = backends.memory
    if memory is None:
        return None
    seen = seen or await memory.viewers.see(viewer_id)
    if seen is None or not is_usual(seen):
        return None
    viewer = feed_viewer(seen)
    judge = QuickJudge(backends, memory, seen, viewer)
    few, many = _CANDIDATES
    if not (judge.is_plain_viewer and seen.known.notes.get(_HAS_MANY)):
        ids = await _candidates(backends, seen, viewer, few)
        if ids is not None and len(ids) < few:
            shown = await judge.judge(ids, await memory.posts.find(ids) if ids else {})
            return (viewer, len(shown[0])) if shown is not None else None
    counted = await (_count_plain if judge.is_plain_viewer else _count_each)(backends, memory, seen, viewer, judge, many)
    if counted is None:
        return None
    examined, unseen = counted
    seen.known.notes[_HAS_MANY] = examined >= few
    return (viewer, min(unseen, MAX_UNSEEN)) if unseen >= MAX_UNSEEN or examined < many else None


async def _candidates(
    backends: Backends, seen: SeenViewer, viewer: FeedViewer, count: int, *, own_apart: bool = False
) -> list[int] | None:
    try:
        return await read_candidates(
            backends, seen, viewer.timeline_version, MAX_ID, viewer.position, count, own_apart=own_apart
        )
    except CacheUnavailableError:
        return None


async def _count_plain(
    backends: Backends, memory: Memory, seen: SeenViewer, viewer: FeedViewer, judge: QuickJudge, size: int
) -> tuple[int, int] | None:
    """Of the newest `size` candidates, so many examined and shown: counted in PostgreSQL but for those that are not plain."""
    notes = seen.known.notes
    position, times = notes.get(_BEYOND_CACHES, (-1, 0))
    if position == viewer.position and times < _TIMES_BELIEVED:
        ids = None
    else:
        ids, times = await _candidates(backends, seen, viewer, size, own_apart=True), -1
    notes[_BEYOND_CACHES] = (viewer.position if ids is None else -1, times + 1)
    async with backends.database.at_once() as session:
        counted = await count_plain(
            session,
            seen.look.viewer_id,
            author_ids=_plainly_followed(seen),
            ids=array_text(ids) if ids is not None else None,
            above=viewer.position,
            size=size,
        )
    others = counted.others
    shown = await judge.judge(others, await memory.posts.find(others)) if others else ((), ())
    return (counted.examined, counted.shown + len(shown[0])) if shown is not None else None


async def _count_each(
    backends: Backends, memory: Memory, seen: SeenViewer, viewer: FeedViewer, judge: QuickJudge, size: int
) -> tuple[int, int] | None:
    """The same, each looked at: words and hashtags are not PostgreSQL's to judge."""
    ids = await _candidates(backends, seen, viewer, size)
    if ids is None:
        # The caches do not reach as far: the ids alone are PostgreSQL's to tell, what they stand for may be remembered.
        async with backends.database.at_once() as session:
            ids = await load_all_ids(session, seen.look.viewer_id, IdRange(above=viewer.position, below=MAX_ID), size=size)
    shown = await judge.judge(ids, await memory.posts.find(ids) if ids else {})
    return (len(ids), len(shown[0])) if shown is not None else None


def _plainly_followed(seen: SeenViewer) -> str:
    found = seen.known.notes.get(_PLAINLY_FOLLOWED)
    if found is None:
        sources = seen.known.sources.items()
        found = array_text(author_id for author_id, relation in sources if follows_plainly(relation))
        seen.known.notes[_PLAINLY_FOLLOWED] = found
    return cast("str", found)


async def _count_unseen(backends: Backends, session: ReadSession, viewer_id: int, viewer: FeedViewer) -> int:
    reader = CandidateReader(backends, session, viewer_id, viewer, backward=False, floor=viewer.position)
    judge = ReasonJudge.of(backends, session, viewer_id, viewer)

    async def fetch(position: int, count: int) -> list[tuple[int, bool | None]]:
        ids = await reader.next_ids(position, count)
        judged = await judge.judge(ids)
        return [(reason_id, True if reason_id in judged and judged[reason_id].is_shown else None) for reason_id in ids]

    unseen, position = 0, MAX_ID
    for _ in range(_MAX_ROUNDS):
        filled = await fill_page(fetch, start=position, size=MAX_UNSEEN - unseen)
        unseen += len(filled.items)
        if unseen >= MAX_UNSEEN or not filled.has_more or filled.end is None:
            break
        position = filled.end
    return unseen
