"""Moments that every watcher may be moved to whose logs were read to the end afterwards.

Whatever was closed in the outbox when the checkpoint was taken had been written to the logs before. What was still open counts
as not seen: it is left out of the snapshot like a transaction under way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from db.live_events import take_checkpoint
from domain.event_log import LogEntry
from domain.snapshots import Snapshot
from services.backends import Backends
from services.feeds.feed_cursors import Moment

MAX_OPEN = 256
"""With more open rows than that, cursors would grow too long: nobody is moved meanwhile."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`moment`: what to move to, with its snapshot; None where too much is open. `whole`: the same, but seeing what is `open`.

    `late`: open rows that have waited for their fan-out too long.
    """

    moment: Moment | None
    snapshot: Snapshot
    whole: Snapshot
    open: Sequence[int]
    late: Sequence[LogEntry]


async def read_checkpoint(backends: Backends, *, late_seconds: float) -> Checkpoint:
    """Raises UnavailableError."""
    async with backends.database.reading() as session:
        taken = await take_checkpoint(session, late_seconds=late_seconds, size=MAX_OPEN)
    whole = Snapshot.parse(taken.snapshot)
    if len(taken.open_transactions) >= MAX_OPEN:
        return Checkpoint(None, whole, whole, (), taken.late)
    snapshot = whole.without(taken.open_transactions)
    return Checkpoint(Moment(str(snapshot), taken.as_of), snapshot, whole, taken.open_transactions, taken.late)
