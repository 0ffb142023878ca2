"""The two cursors of a feed: a place in its order, and a moment in its history."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

from domain.cursors import CursorScope, CursorSealer
from domain.errors import InvalidCursorError
from domain.feed import FeedOrder

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = struct.Struct(">q")


def place_scope(viewer_id: int, order: FeedOrder) -> CursorScope:
    """What the cursor of an entry is bound to."""
    return CursorScope("feed", viewer_id, order.value)


def seal_moment(sealer: CursorSealer, viewer_id: int, *, snapshot: str, as_of: datetime, through_event: int = 0) -> str:
    """An event cursor: everything that PostgreSQL's `snapshot` sees has been told; of what it does not see, the outbox rows up
    to `through_event` (they are told in order of their ids, so a cursor can stand in the middle of a batch)."""
    milliseconds = (as_of - _EPOCH) // timedelta(milliseconds=1)
    payload = _TIME.pack(milliseconds) + _TIME.pack(through_event) + snapshot.encode("ascii")
    return sealer.seal(CursorScope("feed.events", viewer_id), payload)


def open_moment(sealer: CursorSealer, viewer_id: int, cursor: str) -> tuple[str, datetime, int]:
    """(snapshot, as_of, through_event) of an event cursor. Raises InvalidCursorError."""
    payload = sealer.open(CursorScope("feed.events", viewer_id), cursor)
    if len(payload) <= 2 * _TIME.size:
        raise InvalidCursorError("the cursor is not valid here")
    (milliseconds,) = _TIME.unpack_from(payload)
    (through_event,) = _TIME.unpack_from(payload, _TIME.size)
    snapshot = payload[2 * _TIME.size :].decode("ascii")
    return snapshot, _EPOCH + timedelta(milliseconds=milliseconds), through_event
