"""The outbox: promises written with the change, leased by relays, kept by workers.

A row is due when it is open, not parked and `next_attempt_at` has passed. Leasing moves that instant past the lease, so a row
whose worker died becomes due again by itself. `attempts` counts the leases and is the token of the newest one;
`unheard` counts those since a worker last took the row up, and lengthens the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import text

from db.database import ReadSession, WriteSession


class OutboxKind(StrEnum):
    """What has happened, and so what is to be done."""

    POST_PUBLISHED = "post_published"
    POST_EDITED = "post_edited"
    POST_DELETED = "post_deleted"
    FEED_CHANGED = "feed_changed"
    ACCOUNT_CHANGED = "account_changed"


@dataclass(frozen=True, slots=True)
class LeasedEvent:
    """An open row with the lease that was just given. `post_id`, `follower_count`: 0 for changes of feeds and accounts.

    `is_change`: it says what was before; then `was_private` and `had_hashtags` are of the post as it was.
    """

    id: int
    attempt: int
    kind: OutboxKind
    author_id: int
    post_id: int
    last_follower_id: int
    follower_count: int
    transaction_id: int
    is_change: bool
    was_private: bool
    had_hashtags: bool


@dataclass(frozen=True, slots=True)
class OutboxTotals:
    """What the operator wants to know. Seconds since the oldest open row was written."""

    open: int
    parked: int
    oldest_open_seconds: float


MAX_BACKOFF_SECONDS = 300.0

_INSERT = text("INSERT INTO outbox (kind, author_id, post_id) VALUES (:kind, :author_id, :post_id)")
_LEASED = """
    o.id, o.attempts, o.kind, o.author_id, coalesce(o.post_id, 0), o.last_follower_id,
    CASE WHEN o.post_id IS NULL THEN 0 ELSE u.follower_count END, o.xact_id::text::bigint, o.before IS NOT NULL,
    coalesce(o.before ->> 'visibility' = 'PRIVATE', false), coalesce(o.before -> 'hashtag_ids' <> '[]', false)
"""
# The first two leases are short, so that a crash costs little; later ones double, so that a queue that stands still is not
# filled with copies. Only leases that no worker took up count: postponements say nothing of the queue. The exponent is bounded
# because power() fails where it overflows, and with it the whole batch.
_LEASE = text(
    f"""
    UPDATE outbox AS o SET
      attempts = o.attempts + 1,
      unheard = o.unheard + 1,
      next_attempt_at = clock_timestamp()
        + make_interval(secs => least({MAX_BACKOFF_SECONDS}, :lease_seconds * power(2, least(20, greatest(0, o.unheard - 1)))))
    FROM (
      SELECT id FROM outbox
      WHERE closed_at IS NULL AND parked_at IS NULL AND next_attempt_at <= clock_timestamp()
      ORDER BY next_attempt_at LIMIT :size FOR UPDATE SKIP LOCKED
    ) AS due, users AS u
    WHERE o.id = due.id AND u.id = o.author_id
    RETURNING {_LEASED}
    """
)
_GIVE_BACK = text(
    """
    UPDATE outbox SET next_attempt_at = clock_timestamp() + make_interval(secs => :seconds), attempts = attempts - 1,
      unheard = greatest(0, unheard - 1)
    WHERE id = ANY(CAST(:ids AS bigint[])) AND closed_at IS NULL
    """
)
_HELD = text(
    f"""
    UPDATE outbox AS o SET next_attempt_at = clock_timestamp() + make_interval(secs => :lease_seconds), unheard = 0
    FROM users AS u
    WHERE o.id = :event_id AND o.attempts = :attempt AND o.closed_at IS NULL AND u.id = o.author_id
    RETURNING {_LEASED}
    """
)
_ADVANCE = text(
    """
    UPDATE outbox SET last_follower_id = :last_follower_id,
      next_attempt_at = clock_timestamp() + make_interval(secs => :lease_seconds)
    WHERE id = :event_id AND attempts = :attempt AND closed_at IS NULL RETURNING 1
    """
)
_CLOSE = text(
    """
    UPDATE outbox SET closed_at = clock_timestamp(), last_error = NULL
    WHERE id = :event_id AND attempts = :attempt AND closed_at IS NULL
    RETURNING extract(epoch FROM clock_timestamp() - created_at)
    """
)
_FAIL = text(
    """
    UPDATE outbox SET failures = failures + 1, last_error = :error,
      parked_at = CASE WHEN failures + 1 >= :max_failures THEN clock_timestamp() END,
      next_attempt_at = clock_timestamp()
        + make_interval(secs => least(60.0, :lease_seconds / 10 * power(2, least(failures, 10))))
    WHERE id = :event_id AND attempts = :attempt AND closed_at IS NULL
    RETURNING parked_at IS NOT NULL
    """
)
_POSTPONE = text(
    """
    UPDATE outbox SET next_attempt_at = clock_timestamp() + make_interval(secs => :seconds)
    WHERE id = :event_id AND attempts = :attempt AND closed_at IS NULL
    """
)
_TOTALS = text(
    """
    SELECT count(*) FILTER (WHERE parked_at IS NULL), count(*) FILTER (WHERE parked_at IS NOT NULL),
           coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)
    FROM outbox WHERE closed_at IS NULL
    """
)
# now(), not clock_timestamp(): only what stands still during a statement can be looked up in the index.
_PURGE = text(
    """
    DELETE FROM outbox WHERE id IN (
      SELECT id FROM outbox WHERE closed_at < now() - make_interval(secs => :older_than_seconds) LIMIT :size
    )
    """
)
_RING = text("SELECT pg_notify(:channel, '')")

RELAY_CHANNEL = "tidings_outbox"
"""The NOTIFY channel that wakes relays. It carries nothing: whoever is woken looks into the table."""


async def insert_event(session: WriteSession, kind: OutboxKind, *, author_id: int, post_id: int) -> None:
    """Written in the transaction of the change itself: both are there, or neither."""
    await session.execute(_INSERT, {"kind": kind.value, "author_id": author_id, "post_id": post_id})


async def ring_relays(session: ReadSession) -> None:
    """Wakes the relays. After the commit, in a statement of its own: NOTIFY within transactions would serialise commits."""
    await session.execute(_RING, {"channel": RELAY_CHANNEL})


async def lease_due_events(session: WriteSession, *, size: int, lease_seconds: float) -> list[LeasedEvent]:
    """Leases up to `size` due rows, oldest first. Rows that another relay is leasing are passed over."""
    rows = await session.execute(_LEASE, {"size": size, "lease_seconds": lease_seconds})
    return [_to_event(row) for row in rows]


async def give_back_events(session: WriteSession, event_ids: Sequence[int], *, seconds: float) -> None:
    """The queue did not take them: due again in `seconds`, and the attempt does not count."""
    await session.execute(_GIVE_BACK, {"ids": list(event_ids), "seconds": seconds})


async def hold_event(session: WriteSession, event_id: int, *, attempt: int, lease_seconds: float) -> LeasedEvent | None:
    """Takes the row up: its lease is renewed, later ones are short again.

    None where it is closed, or another attempt holds it: then there is nothing to do.
    """
    row = (await session.execute(_HELD, {"event_id": event_id, "attempt": attempt, "lease_seconds": lease_seconds})).first()
    return _to_event(row) if row is not None else None


async def advance_event(
    session: WriteSession, event_id: int, *, attempt: int, last_follower_id: int, lease_seconds: float
) -> bool:
    """Notes the progress and renews the lease. False where the lease was lost: stop, somebody else goes on."""
    parameters = {
        "event_id": event_id,
        "attempt": attempt,
        "last_follower_id": last_follower_id,
        "lease_seconds": lease_seconds,
    }
    return (await session.execute(_ADVANCE, parameters)).first() is not None


async def close_event(session: WriteSession, event_id: int, *, attempt: int) -> float | None:
    """Keeps the promise; seconds since the commit that made it. None where the lease was lost."""
    row = (await session.execute(_CLOSE, {"event_id": event_id, "attempt": attempt})).first()
    return float(row[0]) if row is not None else None


async def fail_event(
    session: WriteSession, event_id: int, *, attempt: int, error: str, max_failures: int, lease_seconds: float
) -> bool:
    """Notes a failed attempt and when to try again; True where that was one too many and the row is parked."""
    parameters = {
        "event_id": event_id,
        "attempt": attempt,
        "error": error,
        "max_failures": max_failures,
        "lease_seconds": lease_seconds,
    }
    row = (await session.execute(_FAIL, parameters)).first()
    return bool(row is not None and row[0])


async def postpone_event(session: WriteSession, event_id: int, *, attempt: int, seconds: float) -> None:
    """Due again in `seconds`, without a failure."""
    await session.execute(_POSTPONE, {"event_id": event_id, "attempt": attempt, "seconds": seconds})


async def count_events(session: ReadSession) -> OutboxTotals:
    row = (await session.execute(_TOTALS)).one()
    return OutboxTotals(row[0], row[1], float(row[2]))


async def purge_closed_events(session: WriteSession, *, older_than_seconds: float, size: int = 5_000) -> int:
    """Deletes closed rows beyond the window in which live cursors are resumed; how many."""
    result = await session.execute(_PURGE, {"older_than_seconds": older_than_seconds, "size": size})
    return int(result.rowcount)  # type: ignore[attr-defined]


def _to_event(row: Sequence[object]) -> LeasedEvent:
    event_id, attempt, kind, *rest = row
    return LeasedEvent(event_id, attempt, OutboxKind(str(kind)), *rest)  # type: ignore[arg-type]
