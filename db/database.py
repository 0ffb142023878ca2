"""PostgreSQL: engines and sessions.

Read and write sessions are different types, so a function's signature says whether it may write. A read session runs every
statement by itself (autocommit: no BEGIN, no ROLLBACK round trips); a write session is exactly one transaction. Every wait has
a deadline, and a server that is away is one error: `UnavailableError`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from domain.errors import UnavailableError

_STATEMENT_CACHE = 500
"""Prepared statements kept a connection: above the number of different statements that Tidings sends."""

_CLOSE_SECONDS = 1.0


class ReadSession(AsyncSession):
    """May read. Each statement sees what was committed before it."""


class WriteSession(ReadSession):
    """One transaction: commits when its block ends, rolls back on any error."""


def sqlalchemy_url(url: str) -> str:
    """The address with SQLAlchemy's name of the asyncpg driver in it."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres", "postgresql+asyncpg"}:
        raise ValueError("a database address begins with postgresql://")
    return urlunsplit(parts._replace(scheme="postgresql+asyncpg"))


def asyncpg_url(url: str) -> str:
    """The address as asyncpg itself takes it."""
    return urlunsplit(urlsplit(url)._replace(scheme="postgresql"))


class Database:
    """The pool of one process. `timeout_seconds` bounds each statement, each wait for a connection and each connect."""

    def __init__(self, url: str, *, pool_size: int, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=timeout_seconds,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={
                "timeout": timeout_seconds,
                "command_timeout": timeout_seconds,
                "prepared_statement_cache_size": _STATEMENT_CACHE,
                # What the client no longer waits for need not run on; jit costs more than it gives for short statements.
                "server_settings": {
                    "statement_timeout": str(int(timeout_seconds * 1_000)),
                    "idle_in_transaction_session_timeout": "30000",
                    "jit": "off",
                    "application_name": "tidings",
                },
            },
        )
        self._autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ReadSession]:
        """A session that may read. Raises UnavailableError where PostgreSQL does not answer in time."""
        with _translated_errors():
            async with ReadSession(self._autocommit, expire_on_commit=False, autoflush=False) as session:
                yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[WriteSession]:
        """A transaction. When the block has ended without an error, it is committed and will survive any crash.

        Raises UnavailableError where PostgreSQL does not answer in time; whether a commit that was under way
        happened is then unknown.
        """
        with _translated_errors():
            async with WriteSession(self.engine, expire_on_commit=False, autoflush=False) as session, session.begin():
                yield session

    async def close(self) -> None:
        """Says goodbye to the server; one that does not answer is left without it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(self._timeout_seconds, _CLOSE_SECONDS)):
                await self.engine.dispose()


class _translated_errors:  # noqa: N801 - reads as a function at its only use
    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if error is not None and is_unavailability(error):
            raise UnavailableError("the database did not answer in time") from error


_UNAVAILABLE_SQLSTATES = (
    "08",  # connection exceptions
    "53",  # too many connections, out of memory, disk full
    "57",  # shutdown, cancelled by statement_timeout, starting up
    "25006",  # a server that became a read-only standby
    "25P03",  # idle in transaction too long
    "40",  # serialization failure, deadlock
    "55P03",  # lock not available
)


def is_unavailability(error: BaseException) -> bool:
    """Whether an error says that the server is away, too busy or too slow: trying again later may succeed."""
    if isinstance(error, UnavailableError):
        return False
    if isinstance(error, exc.TimeoutError):
        return True
    if isinstance(error, exc.DBAPIError):
        if error.connection_invalidated:
            return True
        cause: BaseException | None = error
        while cause is not None:
            if _is_driver_unavailability(cause):
                return True
            cause = cause.__cause__
        return False
    return _is_driver_unavailability(error)


def _is_driver_unavailability(error: BaseException) -> bool:
    if isinstance(error, asyncpg.PostgresError):
        return bool(error.sqlstate) and error.sqlstate.startswith(_UNAVAILABLE_SQLSTATES)
    return isinstance(error, OSError | TimeoutError | asyncpg.InterfaceError | asyncpg.InternalClientError)
