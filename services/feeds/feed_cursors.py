"""The two cursors of a feed: a place in its order, and a moment in its history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from operator import sub

from domain.cursors import CursorScope, CursorSealer
from domain.errors import InvalidCursorError
from domain.event_log import LogPlace, LogPosition
from domain.feed import FeedOrder

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Moment:
    """How far a client has been told what happens.

    Everything that PostgreSQL's snapshot `seen` sees has been told, and the rows `told` of the outbox beyond it. `logs`: how
    far the event logs have been read for it; None where nobody has.
    """

    seen: str
    as_of: datetime
    told: frozenset[int] = frozenset()
    logs: LogPlace | None = None


@dataclass(frozen=True, slots=True)
class FeedPlace:
    """A place on a walk through the feed: the id behind which it goes on.

    `floor`: the walk shows nothing at or below this id, as `hideSeen` had it when the walk began; 0 hides nothing. None says
    that no walk has begun here: the cursor comes from an event or a mutation.
    """

    id: int
    floor: int | None = None


def seal_place(sealer: CursorSealer, viewer_id: int, place: FeedPlace) -> str:
    """The cursor of an entry, in LATEST order."""
    if place.floor == 0:
        return sealer.seal_blocks(_block_scope(viewer_id), [place.id])[0]
    return sealer.seal_ids(_place_scope(viewer_id), place.id, -1 if place.floor is None else place.floor)


def place_sealer(sealer: CursorSealer, viewer_id: int, floor: int | None) -> Callable[[Sequence[int]], list[str]]:
    """`seal_place` for many places of one walk, which differ in their ids alone."""
    if floor == 0:
        # Nearly every walk.
        return sealer.block_sealer(_block_scope(viewer_id))
    return lambda ids: [seal_place(sealer, viewer_id, FeedPlace(post_id, floor)) for post_id in ids]


def open_place(sealer: CursorSealer, viewer_id: int, cursor: str) -> FeedPlace:
    """The place of a cursor. Raises InvalidCursorError."""
    number = sealer.open_block(_block_scope(viewer_id), cursor)
    if number is not None:
        return FeedPlace(number, 0)
    post_id, floor = sealer.open_ids(_place_scope(viewer_id), cursor, count=2)
    return FeedPlace(post_id, floor if floor >= 0 else None)


def _place_scope(viewer_id: int) -> CursorScope:
    return CursorScope("feed", viewer_id, FeedOrder.LATEST.value)


def _block_scope(viewer_id: int) -> CursorScope:
    """Of places of walks without a floor."""
    return CursorScope("feed.from-the-top", viewer_id, FeedOrder.LATEST.value)


def seal_moment(sealer: CursorSealer, viewer_id: int, moment: Moment) -> str:
    """The event cursor of a moment."""
    place = place_text(moment.logs) if moment.logs is not None else "||"
    return seal_moment_text(sealer, viewer_id, moment_head(moment), told_text(sorted(moment.told)), place)


def moment_head(moment: Moment) -> str:
    """The part of the text of a moment that is the same for all who stand at its snapshot."""
    return f"{(moment.as_of - _EPOCH) // timedelta(milliseconds=1)}|{moment.seen}|"


def told_text(rows: Sequence[int]) -> str:
    """The part that names rows: each by its distance from the one before, since they lie close together."""
    return ",".join(map(str, map(sub, rows, [0, *rows])))


def place_text(place: LogPlace) -> str:
    """The part that says where in the logs it is."""
    run_id, own, shared = place.run_id, place.own, place.shared
    return f"{run_id}|{own[0]}-{own[1]}|{shared[0]}-{shared[1]}"


def seal_moment_text(sealer: CursorSealer, viewer_id: int, head: str, told: str, place: str) -> str:
    """`seal_moment`, for whoever seals many and keeps the parts of their texts."""
    return sealer.seal_in(b"feed.events\0%d\0" % viewer_id, f"{head}{told}|{place}".encode())


def seal_no_moment(sealer: CursorSealer, viewer_id: int) -> str:
    """An event cursor for a page of which nobody knows what its reader has not been told: it leads to FEED_RESET."""
    return seal_moment(sealer, viewer_id, Moment("1:1:", _EPOCH))


def open_moment(sealer: CursorSealer, viewer_id: int, cursor: str) -> Moment:
    """The moment of an event cursor. Raises InvalidCursorError."""
    payload = sealer.open(CursorScope("feed.events", viewer_id), cursor)
    try:
        milliseconds, seen, told, run_id, own, shared = payload.decode("ascii").split("|")
        return Moment(
            seen,
            _EPOCH + timedelta(milliseconds=int(milliseconds)),
            frozenset(accumulate(int(distance) for distance in told.split(",") if distance)),
            LogPlace(run_id, LogPosition.parse(own), LogPosition.parse(shared)) if run_id else None,
        )
    except ValueError:
        raise InvalidCursorError("the cursor is not valid here") from None
