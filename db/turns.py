"""Turns: regular work that any process could do is done by one of them at a time."""

from __future__ import annotations

from sqlalchemy import text

from db.database import WriteSession

_TAKE = text(
    """
    INSERT INTO turns (name) VALUES (:name)
    ON CONFLICT (name) DO UPDATE SET taken_at = clock_timestamp()
      WHERE turns.taken_at <= clock_timestamp() - make_interval(secs => :every_seconds)
    RETURNING 1
    """
)


async def take_turn(session: WriteSession, name: str, *, every_seconds: float) -> bool:
    """True for the first who asks within `every_seconds`, over all processes; the turn counts from its commit."""
    return (await session.execute(_TAKE, {"name": name, "every_seconds": every_seconds})).first() is not None
