"""Rows of the outbox and of what people did that wait for workers, for operators: looked at, un-parked, given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import TextClause, text

from db.database import ReadSession, WriteSession


class WaitingQueue(StrEnum):
    """Where promises stand until they are kept."""

    OUTBOX = "outbox"
    """Changes that feeds and watchers are to hear of."""
    ACTIVITIES = "activities"
    """What people did: for notifications and the ranking's scores."""


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """One promise that is not kept yet. `subject_id`: the post, comment or account; None for changes of feeds and accounts.

    `parked_at`: given up after too many failures; `last_error`: the last of them.
    """

    id: int
    kind: str
    actor_id: int
    subject_id: int | None
    created_at: datetime
    next_attempt_at: datetime
    failures: int
    last_error: str | None
    parked_at: datetime | None


@dataclass(frozen=True, slots=True)
class WaitingTotals:
    """`oldest_open_seconds`: since the oldest row that is not parked was written; 0 where there is none."""

    open: int
    parked: int
    oldest_open_seconds: float


_TABLES = {
    WaitingQueue.OUTBOX: ("outbox", "author_id", "post_id", "closed_at IS NULL"),
    WaitingQueue.ACTIVITIES: ("activities", "actor_id", "subject_id", "true"),
}
_LIST = {
    queue: text(
        f"""
        SELECT id, kind, {actor}, {subject}, created_at, next_attempt_at, failures, last_error, parked_at
        FROM {table} WHERE {is_open} AND (parked_at IS NOT NULL OR NOT CAST(:only_parked AS boolean))
        ORDER BY parked_at IS NULL, id LIMIT :size
        """
    )
    for queue, (table, actor, subject, is_open) in _TABLES.items()
}
_TOTALS = {
    queue: text(
        f"""
        SELECT count(*) FILTER (WHERE parked_at IS NULL), count(*) FILTER (WHERE parked_at IS NOT NULL),
          coalesce(extract(epoch FROM clock_timestamp() - min(created_at) FILTER (WHERE parked_at IS NULL)), 0)
        FROM {table} WHERE {is_open}
        """
    )
    for queue, (table, _, _, is_open) in _TABLES.items()
}
_SOME = "(CAST(:ids AS bigint[]) IS NULL OR id = ANY(CAST(:ids AS bigint[])))"
_RETRY = {
    queue: text(
        f"""
        UPDATE {table} SET parked_at = NULL, failures = 0, next_attempt_at = clock_timestamp(){also}
        WHERE {is_open} AND parked_at IS NOT NULL AND {_SOME} RETURNING id
        """
    )
    for queue, (table, _, _, is_open) in _TABLES.items()
    for also in [", unheard = 0" if queue is WaitingQueue.OUTBOX else ""]
}
_DELETE_ACTIVITIES = text(f"DELETE FROM activities WHERE parked_at IS NOT NULL AND {_SOME} RETURNING id")
_LOCK_EVENTS = text(
    f"""
    SELECT id, author_id, CASE WHEN kind <> 'post_deleted' THEN post_id END FROM outbox
    WHERE closed_at IS NULL AND parked_at IS NOT NULL AND {_SOME} ORDER BY id LIMIT :size FOR UPDATE
    """
)
_CLOSE_EVENTS = text("UPDATE outbox SET closed_at = clock_timestamp() WHERE id = ANY(CAST(:ids AS bigint[]))")
_DECIDE = text("UPDATE posts SET delivery = 'PUSH' WHERE id = ANY(CAST(:post_ids AS bigint[])) AND delivery IS NULL")
# As after an import: no timeline that lacks the posts passes for warm any more, nor does a list of an author's pulled posts.
_TOUCHED = """
    SELECT id FROM unnest(CAST(:author_ids AS bigint[])) AS authors(id)
    UNION SELECT viewer_id FROM feed_sources WHERE author_id = ANY(CAST(:author_ids AS bigint[]))
"""
_LOCK_ACCOUNTS = text(f"SELECT id FROM users WHERE id IN ({_TOUCHED}) ORDER BY id FOR NO KEY UPDATE")
_FORGET_TIMELINES = text(
    f"""
    UPDATE users SET graph_version = graph_version + 1,
      import_version = import_version + CAST(id = ANY(CAST(:author_ids AS bigint[])) AS int)
    WHERE id IN ({_TOUCHED})
    """
)


async def list_waiting_rows(session: ReadSession, queue: WaitingQueue, *, only_parked: bool, size: int) -> list[WaitingRow]:
    """Up to `size`, the parked ones first, then by age."""
    rows = await session.execute(_LIST[queue], {"only_parked": only_parked, "size": size})
    return [WaitingRow(*row) for row in rows]


async def count_waiting_rows(session: ReadSession, queue: WaitingQueue) -> WaitingTotals:
    row = (await session.execute(_TOTALS[queue])).one()
    return WaitingTotals(row[0], row[1], float(row[2]))


async def retry_parked_rows(session: WriteSession, queue: WaitingQueue, ids: Sequence[int] | None) -> list[int]:
    """Due at once, as if they had never failed; which ones. None: all that are parked."""
    return await _change(session, _RETRY[queue], ids)


async def delete_parked_activities(session: WriteSession, ids: Sequence[int] | None) -> list[int]:
    """Nobody will be told of them; which ones. None: all that are parked."""
    return await _change(session, _DELETE_ACTIVITIES, ids)


async def close_parked_events(session: WriteSession, ids: Sequence[int] | None, *, size: int) -> tuple[list[int], list[int]]:
    """Promises of the outbox that are not kept: (which rows, up to `size`; the authors whose posts were not delivered).

    Posts whose delivery was not decided are `PUSH` from now on: whoever makes a timeline anew finds them. Call
    `forget_timelines_of` in the same transaction, and once more after it. None: all that are parked.
    """
    parameters = {"ids": list(ids) if ids is not None else None, "size": size}
    rows = (await session.execute(_LOCK_EVENTS, parameters)).all()
    await session.execute(_DECIDE, {"post_ids": [row[2] for row in rows if row[2] is not None]})
    found = [int(row[0]) for row in rows]
    await session.execute(_CLOSE_EVENTS, {"ids": found})
    return found, sorted({int(row[1]) for row in rows if row[2] is not None})


async def forget_timelines_of(session: WriteSession, author_ids: Sequence[int]) -> None:
    """The next read of everybody who receives these authors' posts makes the timeline anew. Locks accounts."""
    if author_ids:
        await session.execute(_LOCK_ACCOUNTS, {"author_ids": list(author_ids)})
        await session.execute(_FORGET_TIMELINES, {"author_ids": list(author_ids)})


async def _change(session: WriteSession, statement: TextClause, ids: Sequence[int] | None) -> list[int]:
    rows = await session.execute(statement, {"ids": list(ids) if ids is not None else None})
    return [int(row[0]) for row in rows]
