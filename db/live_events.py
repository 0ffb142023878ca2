"""What has been published since a moment, from the outbox. A moment is a transaction snapshot, so nothing falls between two."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from db.database import ReadSession
from domain.event_log import LogEntry

_NOW = text("SELECT pg_current_snapshot()::text, statement_timestamp()")

# Rows are found by the partial index of open ones, of which there are few. Parked ones, which may stay for days, are told as
# late ones; blind to them, a snapshot would reach back as far as they do.
_CHECKPOINT = text(
    """
    SELECT pg_current_snapshot()::text, statement_timestamp(),
      ARRAY(
        SELECT o.xact_id::text::bigint FROM outbox o
        WHERE o.closed_at IS NULL AND o.parked_at IS NULL ORDER BY o.id DESC LIMIT :size
      ),
      (SELECT coalesce(jsonb_agg(jsonb_build_array(late.id, late.xact_id::text::bigint, late.kind = 'post_published')), '[]')
       FROM (
         SELECT o.id, o.xact_id, o.kind FROM outbox o
         WHERE o.closed_at IS NULL AND o.created_at < statement_timestamp() - make_interval(secs => :late_seconds)
         ORDER BY o.id DESC LIMIT :size
       ) AS late)
    """
)
_SUSPENDED = text(
    """
    SELECT DISTINCT u.id FROM outbox o JOIN users u ON u.id = o.author_id AND u.suspended_at IS NOT NULL
    WHERE o.xact_id >= CAST(CAST(:since AS text) AS xid8) AND o.kind = 'account_changed'
    """
)
_TRANSACTIONS = text("SELECT id, xact_id::text::bigint FROM outbox WHERE id = ANY(CAST(:ids AS bigint[]))")


async def take_moment(session: ReadSession) -> tuple[str, datetime]:
    """The present snapshot and time."""
    row = (await session.execute(_NOW)).one()
    return row[0], row[1]


@dataclass(frozen=True, slots=True)
class OutboxCheckpoint:
    """A moment, the transactions of rows that were open in it (at most as many as asked for), and the late ones of these."""

    snapshot: str
    as_of: datetime
    open_transactions: list[int]
    late: list[LogEntry]


async def take_checkpoint(session: ReadSession, *, late_seconds: float, size: int) -> OutboxCheckpoint:
    """One statement, so one snapshot."""
    row = (await session.execute(_CHECKPOINT, {"late_seconds": late_seconds, "size": size})).one()
    return OutboxCheckpoint(row[0], row[1], list(row[2]), [LogEntry(*entry) for entry in row[3]])


async def load_transactions(session: ReadSession, event_ids: Iterable[int]) -> dict[int, int]:
    """By which transactions rows of the outbox were written; those that are gone are left out."""
    return {row[0]: row[1] for row in await session.execute(_TRANSACTIONS, {"ids": list(event_ids)})}


async def load_suspended_since(session: ReadSession, transaction_id: int) -> list[int]:
    """Accounts that are suspended now, and whose state this transaction or a later one has changed."""
    return list((await session.execute(_SUSPENDED, {"since": str(transaction_id)})).scalars())
