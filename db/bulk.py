"""Bulk loading: one connection of its own, COPY, temporary tables, set-based statements with generous deadlines.

Apart from `Database`, whose deadlines are those of a request. Temporary tables belong to the connection: whatever kills
the process also clears them away.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg

from db.database import asyncpg_url
from db.unavailability import is_unavailability
from domain.errors import UnavailableError

CONNECT_TIMEOUT = timedelta(seconds=15)
STATEMENT_TIMEOUT = timedelta(hours=1)
"""Of one bulk statement: a COPY of a whole file may take long, but not for ever."""
LOCK_TIMEOUT = timedelta(seconds=20)
"""Longest wait for a row that a living transaction holds."""

_IMPORT_LOCK = 0x7464_696D706F7274
"""Advisory lock key: bulk loads run one after another, since each decides what is new from what it sees."""

_SESSION = {
    "application_name": "tidings bulk",
    "jit": "off",
    "work_mem": "64MB",
    "temp_buffers": "64MB",
    "lock_timeout": f"{int(LOCK_TIMEOUT.total_seconds())}s",
    "idle_in_transaction_session_timeout": "10min",
    # The server notices within seconds that a killed client is gone, and gives its locks back.
    "client_connection_check_interval": "2s",
}


class BulkConnection:
    """One connection for bulk work. Every method raises UnavailableError where PostgreSQL is away or too slow."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def execute(self, statement: str, *arguments: object) -> int:
        """Runs one statement; returns the number of rows that it wrote (0 for others)."""
        status: str = await self._connection.execute(statement, *arguments, timeout=_seconds(STATEMENT_TIMEOUT))
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def fetch(self, statement: str, *arguments: object) -> Sequence[Any]:
        """The rows of a query; each can be indexed by position and by name."""
        rows: Sequence[Any] = await self._connection.fetch(statement, *arguments, timeout=_seconds(STATEMENT_TIMEOUT))
        return rows

    async def fetch_value(self, statement: str, *arguments: object) -> Any:
        """The first column of the first row; None without rows."""
        return await self._connection.fetchval(statement, *arguments, timeout=_seconds(STATEMENT_TIMEOUT))

    async def copy(self, table: str, columns: Sequence[str], records: Iterable[Sequence[object]]) -> int:
        """COPYs records into a table; returns their number. An error of the iterable leaves nothing behind."""
        status: str = await self._connection.copy_records_to_table(
            table, records=records, columns=list(columns), timeout=_seconds(STATEMENT_TIMEOUT)
        )
        return int(status.rpartition(" ")[2])

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Commits when its block ends, rolls back on any error."""
        async with self._connection.transaction():
            yield


@asynccontextmanager
async def bulk_connection(database_url: str) -> AsyncIterator[BulkConnection]:
    """Opens a connection for bulk work and waits until no other one is at work on this database."""
    try:
        connection = await asyncpg.connect(
            asyncpg_url(database_url),
            timeout=_seconds(CONNECT_TIMEOUT),
            command_timeout=_seconds(STATEMENT_TIMEOUT),
            server_settings=_SESSION,
        )
        try:
            await connection.execute("SELECT pg_advisory_lock($1)", _IMPORT_LOCK, timeout=_seconds(CONNECT_TIMEOUT * 2))
            yield BulkConnection(connection)
        finally:
            await _close(connection)
    except Exception as error:
        if is_unavailability(error):
            raise UnavailableError("the database is away, or another bulk load holds it") from error
        raise


async def _close(connection: Any) -> None:
    try:
        async with asyncio.timeout(_seconds(CONNECT_TIMEOUT)):
            await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()


def is_lost_race(error: BaseException) -> bool:
    """Whether a transaction failed only because a living one came in between: repeated, the same one may succeed."""
    return isinstance(
        error,
        asyncpg.UniqueViolationError
        | asyncpg.DeadlockDetectedError
        | asyncpg.SerializationError
        | asyncpg.LockNotAvailableError,
    )


def _seconds(duration: timedelta) -> float:
    return duration.total_seconds()
