"""Signs of life of background processes."""

from __future__ import annotations

from sqlalchemy import text

from db.database import ReadSession, WriteSession

_BEAT = text(
    """
    INSERT INTO heartbeats (role, instance, at) VALUES (:role, :instance, clock_timestamp())
    ON CONFLICT (role, instance) DO UPDATE SET at = excluded.at
    """
)
_SWEEP = text("DELETE FROM heartbeats WHERE at < clock_timestamp() - interval '1 hour'")
_AGES = text("SELECT role, extract(epoch FROM clock_timestamp() - max(at)) FROM heartbeats GROUP BY role")
_STOP = text("DELETE FROM heartbeats WHERE role = :role AND instance = :instance")

BEAT_SECONDS = 5.0
"""How often a process says that it works."""
LATE_SECONDS = 15.0
"""Silence after which a role counts as stopped."""


async def beat(session: WriteSession, *, role: str, instance: str) -> None:
    """The process works."""
    await session.execute(_BEAT, {"role": role, "instance": instance})
    await session.execute(_SWEEP)


async def end_beat(session: WriteSession, *, role: str, instance: str) -> None:
    """The process stops as it should."""
    await session.execute(_STOP, {"role": role, "instance": instance})


async def load_heartbeat_ages(session: ReadSession) -> dict[str, float]:
    """Seconds since the last sign of life of each role; a role that never ran is missing."""
    return {row[0]: float(row[1]) for row in await session.execute(_AGES)}
