"""The two cursors of a feed: a place in its order, and a moment in its history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain.cursors import CursorScope, CursorSealer
from domain.errors import InvalidCursorError
from domain.event_log import LogPlace, LogPosition
from domain.feed import FeedOrder

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Moment:
    """How far a client has been told what happens.

    Everything that PostgreSQL's snapshot `seen` sees has been told. So have the outbox rows `told`, publications and changes
    alike: what the client shows is what `seen` saw, with exactly these done to it. Of publications (and nothing else) also,
    in the middle of a batch, part of what the newer snapshot `batch` sees: the outbox rows up to `through_event` (a batch is
    told in the order of its rows' ids). `logs`: how far the event logs have been read for it; None where nobody has.
    """

    seen: str
    as_of: datetime
    batch: str = ""
    through_event: int = 0
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
    return sealer.seal_ids(_place_scope(viewer_id), place.id, -1 if place.floor is None else place.floor)


def open_place(sealer: CursorSealer, viewer_id: int, cursor: str) -> FeedPlace:
    """The place of a cursor. Raises InvalidCursorError."""
    post_id, floor = sealer.open_ids(_place_scope(viewer_id), cursor, count=2)
    return FeedPlace(post_id, floor if floor >= 0 else None)


def _place_scope(viewer_id: int) -> CursorScope:
    return CursorScope("feed", viewer_id, FeedOrder.LATEST.value)


def seal_moment(sealer: CursorSealer, viewer_id: int, moment: Moment) -> str:
    """The event cursor of a moment."""
    milliseconds = (moment.as_of - _EPOCH) // timedelta(milliseconds=1)
    told = ",".join(map(str, sorted(moment.told)))
    logs = f"{moment.logs.run_id}|{moment.logs.own}|{moment.logs.shared}" if moment.logs is not None else "||"
    payload = f"{milliseconds}|{moment.seen}|{moment.batch}|{moment.through_event}|{told}|{logs}"
    return sealer.seal(CursorScope("feed.events", viewer_id), payload.encode("ascii"))


def seal_no_moment(sealer: CursorSealer, viewer_id: int) -> str:
    """An event cursor for a page of which nobody knows what its reader has not been told: it leads to FEED_RESET."""
    return seal_moment(sealer, viewer_id, Moment("1:1:", _EPOCH))


def open_moment(sealer: CursorSealer, viewer_id: int, cursor: str) -> Moment:
    """The moment of an event cursor. Raises InvalidCursorError."""
    payload = sealer.open(CursorScope("feed.events", viewer_id), cursor)
    try:
        milliseconds, seen, batch, through_event, told, run_id, own, shared = payload.decode("ascii").split("|")
        return Moment(
            seen,
            _EPOCH + timedelta(milliseconds=int(milliseconds)),
            batch,
            int(through_event),
            frozenset(int(event_id) for event_id in told.split(",") if event_id),
            LogPlace(run_id, LogPosition.parse(own), LogPosition.parse(shared)) if run_id else None,
        )
    except ValueError:
        raise InvalidCursorError("the cursor is not valid here") from None
