"""Promises to look again at what people did: written with the change, kept by workers (see `db.models.activity`).

Rows are taken and deleted in the transaction that has their effects: exactly once. One that fails is due again later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from db.database import ReadSession, WriteSession
from domain.activities import ActivityKind

INSERT_SQL = "INSERT INTO activities (kind, actor_id, subject_id) {source}"
"""For statements that do several things at once; `source` selects or lists (kind, actor, subject)."""

_INSERT = text(INSERT_SQL.format(source="VALUES (:kind, :actor_id, :subject_id)"))
_DUE = "parked_at IS NULL AND next_attempt_at <= clock_timestamp()"
_COLUMNS = "id, kind, actor_id, subject_id, created_at, last_follower_id"
_TAKE = text(f"SELECT {_COLUMNS} FROM activities WHERE {_DUE} ORDER BY next_attempt_at, id LIMIT :size FOR UPDATE SKIP LOCKED")
_TAKE_ONE = text(f"SELECT {_COLUMNS} FROM activities WHERE id = :id AND {_DUE} FOR UPDATE SKIP LOCKED")
_DELETE = text("DELETE FROM activities WHERE id = ANY(CAST(:ids AS bigint[]))")
_POSTPONE = text(
    "UPDATE activities SET next_attempt_at = clock_timestamp() + make_interval(secs => :seconds) "
    "WHERE id = ANY(CAST(:ids AS bigint[]))"
)
_ADVANCE = text(
    """
    UPDATE activities a SET last_follower_id = p.last_follower_id, next_attempt_at = clock_timestamp()
    FROM unnest(CAST(:ids AS bigint[]), CAST(:last_follower_ids AS bigint[])) AS p(id, last_follower_id)
    WHERE a.id = p.id
    """
)
_FAIL = text(
    """
    UPDATE activities SET failures = failures + 1, last_error = :error,
      parked_at = CASE WHEN failures + 1 >= :max_failures THEN clock_timestamp() END,
      next_attempt_at = clock_timestamp() + make_interval(secs => least(300.0, power(2, least(failures, 10))))
    WHERE id = :id RETURNING parked_at IS NOT NULL
    """
)
_WAITING = text(
    f"""
    SELECT extract(epoch FROM clock_timestamp() - next_attempt_at) FROM activities WHERE {_DUE}
    ORDER BY next_attempt_at, id LIMIT 1
    """
)
_TOTALS = text(
    """
    SELECT count(*) FILTER (WHERE parked_at IS NULL), count(*) FILTER (WHERE parked_at IS NOT NULL),
      coalesce(extract(epoch FROM clock_timestamp() - min(created_at) FILTER (WHERE parked_at IS NULL)), 0)
    FROM activities
    """
)


@dataclass(frozen=True, slots=True)
class ActivityRow:
    """A row that this transaction has taken."""

    id: int
    kind: ActivityKind
    actor_id: int
    subject_id: int
    created_at: datetime
    last_follower_id: int


@dataclass(frozen=True, slots=True)
class ActivityTotals:
    """What the operator wants to know. Seconds since the oldest open row was written."""

    open: int
    parked: int
    oldest_open_seconds: float


async def note_activity(session: WriteSession, kind: ActivityKind, *, actor_id: int, subject_id: int) -> None:
    """What the actor does to the subject begins or ends in this transaction. Ring the relay's bell after the commit."""
    await session.execute(_INSERT, {"kind": kind.value, "actor_id": actor_id, "subject_id": subject_id})


async def take_due_activities(session: WriteSession, *, size: int) -> list[ActivityRow]:
    """Up to `size` due rows, locked, those that have waited longest first; what somebody else has taken is passed over."""
    return [_to_row(row) for row in await session.execute(_TAKE, {"size": size})]


async def take_activity(session: WriteSession, activity_id: int) -> ActivityRow | None:
    """One row, locked; None where it is gone, not due, or taken by somebody else."""
    row = (await session.execute(_TAKE_ONE, {"id": activity_id})).first()
    return _to_row(row) if row is not None else None


async def delete_activities(session: WriteSession, ids: Sequence[int]) -> None:
    """Keeps the promises: in the transaction that has their effects."""
    await session.execute(_DELETE, {"ids": list(ids)})


async def postpone_activities(session: WriteSession, ids: Sequence[int], *, seconds: float) -> None:
    """Due again in `seconds`, without a failure."""
    await session.execute(_POSTPONE, {"ids": list(ids), "seconds": seconds})


async def advance_activities(session: WriteSession, progress: dict[int, int]) -> None:
    """Notes how far each row's followers have been walked (row → follower id): due again at once, behind the others."""
    await session.execute(_ADVANCE, {"ids": list(progress), "last_follower_ids": list(progress.values())})


async def fail_activity(session: WriteSession, activity_id: int, *, error: str, max_failures: int) -> bool:
    """Notes a failure and when to try again (1 s, doubled each time up to 5 min); True where it was one too many."""
    parameters = {"id": activity_id, "error": error, "max_failures": max_failures}
    row = (await session.execute(_FAIL, parameters)).first()
    return bool(row is not None and row[0])


async def load_waiting_seconds(session: ReadSession) -> float | None:
    """How long the oldest due row has been due; None where none is."""
    waited = (await session.execute(_WAITING)).scalar()
    return float(waited) if waited is not None else None


async def count_activities(session: ReadSession) -> ActivityTotals:
    row = (await session.execute(_TOTALS)).one()
    return ActivityTotals(row[0], row[1], float(row[2]))


def _to_row(row: Sequence[object]) -> ActivityRow:
    row_id, kind, *rest = row
    return ActivityRow(row_id, ActivityKind(str(kind)), *rest)  # type: ignore[arg-type]
