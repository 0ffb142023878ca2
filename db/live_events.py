"""What has been published since a moment, from the outbox. A moment is a transaction snapshot, so nothing falls between two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from db.database import ReadSession
from domain.event_log import LogEntry

_NOW = text("SELECT pg_current_snapshot()::text, statement_timestamp()")

# Rows are found by the partial index of open ones, of which there are few.
_CHECKPOINT = text(
    """
    SELECT pg_current_snapshot()::text, statement_timestamp(),
      ARRAY(SELECT o.xact_id::text::bigint FROM outbox o WHERE o.closed_at IS NULL ORDER BY o.id DESC LIMIT :size),
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
    WHERE o.id = ANY(CAST(:ids AS bigint[])) AND o.kind = 'account_changed'
    """
)
_TRANSACTIONS = text("SELECT id, xact_id::text::bigint FROM outbox WHERE id = ANY(CAST(:ids AS bigint[]))")

# The detour over text is for asyncpg, which takes a parameter of type pg_snapshot only as a tuple.
# Both bounds on xact_id are for the index and for a restored database, whose old rows may name transactions still to come.
_NEW_ROWS = """
    o.kind = 'post_published'
    AND o.xact_id >= pg_snapshot_xmin(CAST(CAST(:seen AS text) AS pg_snapshot)) AND o.xact_id < pg_snapshot_xmax(now.snapshot)
    AND NOT pg_visible_in_snapshot(o.xact_id, CAST(CAST(:seen AS text) AS pg_snapshot))
"""
_PUBLISHED_SINCE = text(
    f"""
    SELECT now.snapshot::text, now.at, o.id, o.xact_id::text::bigint, o.post_id, o.author_id
    FROM (SELECT pg_current_snapshot() AS snapshot, statement_timestamp() AS at) AS now
    LEFT JOIN outbox o ON {_NEW_ROWS}
    ORDER BY o.id LIMIT :size
    """
)
_MISSED_BY = text(
    f"""
    SELECT now.snapshot::text, now.at, o.id, o.xact_id::text::bigint, o.post_id, o.author_id
    FROM (SELECT pg_current_snapshot() AS snapshot, statement_timestamp() AS at) AS now
    LEFT JOIN outbox o ON {_NEW_ROWS}
      AND (o.id > :through_event OR NOT pg_visible_in_snapshot(o.xact_id, CAST(CAST(:batch AS text) AS pg_snapshot)))
      AND EXISTS (SELECT FROM users v WHERE v.id = :viewer_id AND v.suspended_at IS NULL)
      AND (o.author_id = :viewer_id
        OR EXISTS (
          SELECT FROM feed_sources s WHERE s.viewer_id = :viewer_id AND s.author_id = o.author_id AND o.post_id <= s.until_id)
        OR EXISTS (
          SELECT FROM post_hashtags t JOIN hashtag_follows h ON h.hashtag_id = t.hashtag_id AND h.user_id = :viewer_id
          WHERE t.post_id = o.post_id))
    ORDER BY pg_visible_in_snapshot(o.xact_id, CAST(CAST(:batch AS text) AS pg_snapshot)) DESC, o.id LIMIT :size
    """
)


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One publication: the outbox row, the transaction that wrote it, the post and its author."""

    event_id: int
    transaction_id: int
    post_id: int
    author_id: int


@dataclass(frozen=True, slots=True)
class PublishedBatch:
    """What was published between an older snapshot and `snapshot`, in the order of the outbox.

    `is_whole` is False where there was more than was asked for: then the snapshot must not be gone on from.
    """

    snapshot: str
    as_of: datetime
    rows: list[PublishedRow]
    is_whole: bool


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


async def load_suspended_by(session: ReadSession, event_ids: Iterable[int]) -> list[int]:
    """Accounts that are suspended now, of those whose state one of the events has changed."""
    return list((await session.execute(_SUSPENDED, {"ids": list(event_ids)})).scalars())


async def load_published_since(session: ReadSession, seen: str, *, size: int) -> PublishedBatch:
    """Everything published that `seen` did not see, for all viewers at once."""
    return _batch(list(await session.execute(_PUBLISHED_SINCE, {"seen": seen, "size": size + 1})), size)


async def load_missed_by(
    session: ReadSession, viewer_id: int, *, seen: str, batch: str, through_event: int, size: int
) -> PublishedBatch:
    """The same for one viewer: own, by followed accounts, with followed hashtags; without the part of `batch` that was told.

    First what is left of `batch`, then the rest, each in the order of the outbox. Nothing for a suspended account.
    """
    parameters = {
        "viewer_id": viewer_id,
        "seen": seen,
        "batch": batch or seen,
        "through_event": through_event,
        "size": size + 1,
    }
    return _batch(list(await session.execute(_MISSED_BY, parameters)), size)


def _batch(rows: Sequence[Sequence[object]], size: int) -> PublishedBatch:
    published = [PublishedRow(*row[2:]) for row in rows if row[2] is not None]  # type: ignore[arg-type]
    return PublishedBatch(str(rows[0][0]), rows[0][1], published[:size], is_whole=len(published) <= size)  # type: ignore[arg-type]
