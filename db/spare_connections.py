"""Connections of SQLAlchemy's pool without its books about who has them: those cost several times a short statement.

A record that lies in the pool's queue is taken out, used by its driver's connection alone, and put back; in between the pool
counts it as given out, as it counts any other. What needs more than that (a new connection, waiting) is left to the pool.
"""

from __future__ import annotations

from typing import Any

import asyncpg
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry
from sqlalchemy.util.queue import Empty


class SpareConnection:
    """One that was taken. Give it back, or drop it."""

    __slots__ = ("_pool", "_record", "driver_connection")

    def __init__(self, pool: AsyncAdaptedQueuePool, record: ConnectionPoolEntry, driver_connection: asyncpg.Connection) -> None:
        self._pool = pool
        self._record = record
        self.driver_connection = driver_connection

    def close(self) -> None:
        """Back into the pool: nothing is under way on it."""
        self._pool._do_return_conn(self._record)

    def invalidate(self) -> None:
        """Ends the connection; the pool makes another one in its place."""
        self._record.invalidate()
        self._pool._do_return_conn(self._record)


def take_spare(pool: Any) -> SpareConnection | None:
    """A connection that is open and that nobody uses; None where there is none: then ask the pool itself."""
    if not isinstance(pool, AsyncAdaptedQueuePool):
        return None
    try:
        record = pool._pool.get(block=False)
    except Empty:
        return None
    adapted = record.dbapi_connection
    if adapted is None or record.starttime < pool._invalidate_time or adapted.driver_connection.is_closed():  # type: ignore[attr-defined]
        # As it is: whoever asks the pool itself for it gets a new connection.
        pool._do_return_conn(record)
        return None
    return SpareConnection(pool, record, adapted.driver_connection)
