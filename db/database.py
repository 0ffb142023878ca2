"""PostgreSQL: engines and sessions.

Read and write sessions are different types, so a function's signature says whether it may write. A read session runs every
statement by itself (autocommit: no BEGIN, no ROLLBACK round trips); a write session is exactly one transaction. Every wait has
a deadline, and a server that is away is one error: `UnavailableError`, raised at once where the server is known to be away.

A transaction names what it changes (`WriteSession.touch`); the names go to one listener after the commit.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from sqlalchemy import event, exc
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from db import at_once as sent
from db.presence import Presence
from db.spare_connections import take_spare
from db.unavailability import is_unavailability, translated_errors
from domain.errors import UnavailableError

_STATEMENT_CACHE = 500
"""Prepared statements kept a connection: above the number of different statements that Tidings sends."""

_AT_ONCE_PERCENT = 80
"""Of the pool's connections: the rest is left to sessions, which many short statements would pass again and again."""
_CLOSE_SECONDS = 1.0
_GOODBYE_SECONDS = 0.2


class ReadSession(AsyncSession):
    """May read. Each statement sees what was committed before it."""


class WriteSession(ReadSession):
    """One transaction: commits when its block ends, rolls back on any error. `touched`: the subjects that it changes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.touched: set[str] = set()
        self.noted: set[str] = set()
        """What `db.feed_changes` has noted already."""

    def touch(self, *subjects: str) -> None:
        """Names what changes (`domain.subjects`): after the commit no copy of it counts any more."""
        self.touched.update(subjects)


class AtOnceSession(WriteSession):
    """Each statement is a transaction of its own, sent as it is (`db.at_once`): `execute` is all that it can."""

    def __init__(self) -> None:
        # Not the parents' beginning: their books are what is saved here.
        self.touched = set()
        self.noted = set()
        self.is_cut_off = False
        """A statement was not answered to its end: nobody else can use the connection."""
        self._connection: Any = None

    def use(self, connection: Any) -> None:
        """The driver's connection, before the first statement."""
        self._connection = connection

    async def execute(self, statement: Any, params: Any = None, **_: Any) -> Any:
        try:
            return await sent.fetch(self._connection, statement, params or {})
        except asyncpg.PostgresError:
            raise  # an answer, too
        except BaseException:
            self.is_cut_off = True
            raise

    async def command(self, command: str) -> None:
        """What has neither parameters nor rows. Whoever begins a transaction ends it, or leaves the session as cut off."""
        await self._connection.execute(command)


ChangeListener = Callable[[frozenset[str]], Awaitable[None]]
"""Called with the touched subjects after the commit, before `writing` ends; never raises, and takes a bounded time."""


def sqlalchemy_url(url: str) -> str:
    """The address with SQLAlchemy's name of the asyncpg driver in it."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres", "postgresql+asyncpg"}:
        raise ValueError("a database address begins with postgresql://")
    return urlunsplit(parts._replace(scheme="postgresql+asyncpg"))


def asyncpg_url(url: str) -> str:
    """The address as asyncpg itself takes it."""
    return urlunsplit(urlsplit(url)._replace(scheme="postgresql"))


class _Connection(asyncpg.Connection):  # type: ignore[misc]
    async def close(self, *, timeout: float | None = None) -> None:
        # A server that hangs does not take leave: waiting for that would be on top of the deadline of whoever asked.
        await super().close(timeout=min(timeout or _GOODBYE_SECONDS, _GOODBYE_SECONDS))


class Database:
    """The pool of one process. `timeout_seconds` bounds a session as a whole: getting a connection, and all its statements."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int,
        timeout_seconds: float,
        fails_fast: bool = False,
        on_change: ChangeListener | None = None,
    ) -> None:
        """`fails_fast`: nobody waits for a server that is known to be away (`db.presence`)."""
        self._timeout_seconds = timeout_seconds
        self._on_change = on_change
        part = timeout_seconds / 3
        self._presence = Presence(self._probe, patience_seconds=part, probe_seconds=part) if fails_fast else None
        # SQLAlchemy's pool lets whoever comes at the right moment pass those who wait: in a crowd some of them wait for ever.
        self._at_once = asyncio.Semaphore(max(1, pool_size * _AT_ONCE_PERCENT // 100))
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=timeout_seconds,
            hide_parameters=True,
            connect_args={
                "connection_class": _Connection,
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
        event.listen(self.engine.sync_engine, "checkout", _refuse_closed)
        self._autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._repeatable = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ReadSession]:
        """A session that may read. Raises UnavailableError where PostgreSQL does not answer in time."""
        with translated_errors(self._presence):
            async with self._deadline(), ReadSession(self._autocommit, expire_on_commit=False, autoflush=False) as session:
                yield session

    @asynccontextmanager
    async def snapshot_reading(self) -> AsyncIterator[ReadSession]:
        """The same, but every statement sees what the first one saw. Raises UnavailableError."""
        with translated_errors(self._presence):
            async with self._deadline(), ReadSession(self._repeatable, expire_on_commit=False, autoflush=False) as session:
                yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[WriteSession]:
        """A transaction. When the block has ended without an error, it is committed and will survive any crash.

        Raises UnavailableError where PostgreSQL does not answer in time; whether a commit that was under way
        happened is then unknown.
        """
        session = WriteSession(self.engine, expire_on_commit=False, autoflush=False)
        may_be_committed = False
        try:
            with translated_errors(self._presence):
                async with self._deadline(), session, session.begin():
                    yield session
                    may_be_committed = True
        finally:
            # Also where the commit was cut off: it may have happened.
            if may_be_committed and session.touched and self._on_change is not None:
                await self._on_change(frozenset(session.touched))

    def at_once(self) -> AtOnce:
        """May write, but each statement is a transaction of its own, sent as it is: for what is asked for very often.

        Raises UnavailableError; whether a statement that was under way happened is then unknown.
        """
        return AtOnce(self)

    @asynccontextmanager
    async def _deadline(self) -> AsyncIterator[None]:
        # Of the whole block: waiting for a connection, finding it dead and making another one would each have its own.
        if self._presence is None:
            async with asyncio.timeout(self._timeout_seconds):
                yield
            return
        if self._presence.is_away:
            raise UnavailableError("the database did not answer a moment ago")
        async with asyncio.timeout(self._timeout_seconds) as timeout:
            handle = self._presence.wait_under(timeout)
            try:
                yield
            finally:
                self._presence.stop_waiting(timeout, handle)
        self._presence.note_answer()

    async def _probe(self) -> None:
        connection = await asyncpg.connect(asyncpg_url(self.url), timeout=self._timeout_seconds, connection_class=_Connection)
        try:
            await connection.execute("SELECT 1", timeout=self._timeout_seconds)
        finally:
            connection.terminate()

    async def close(self) -> None:
        """Says goodbye to the server; one that does not answer is left without it."""
        if self._presence is not None:
            await self._presence.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(self._timeout_seconds, _CLOSE_SECONDS)):
                await self.engine.dispose()


class AtOnce:
    """What `Database.at_once` gives: one deadline over all of it, and one connection. Made for little cost of its own."""

    __slots__ = ("_connection", "_database", "_handle", "_session", "_timeout")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._session = AtOnceSession()
        self._timeout = asyncio.timeout(database._timeout_seconds)
        self._connection: Any = None
        self._handle: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> AtOnceSession:
        database = self._database
        presence = database._presence
        if presence is not None and presence.is_away:
            raise UnavailableError("the database did not answer a moment ago")
        await self._timeout.__aenter__()
        try:
            if presence is not None:
                self._handle = presence.wait_under(self._timeout)
            await database._at_once.acquire()
            try:
                self._connection = take_spare(database.engine.sync_engine.pool) or await database.engine.raw_connection()
            except BaseException:
                database._at_once.release()
                raise
        except BaseException as error:
            await self._end(error)
            raise
        self._session.use(self._connection.driver_connection)
        return self._session

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        database = self._database
        # Neither waits for the server: whoever is cut off by a deadline leaves at once.
        self._connection.invalidate() if self._session.is_cut_off else self._connection.close()
        database._at_once.release()
        try:
            await self._end(error)
        finally:
            if self._session.touched and database._on_change is not None:
                await database._on_change(frozenset(self._session.touched))

    async def _end(self, error: BaseException | None) -> None:
        presence = self._database._presence
        if presence is not None and self._handle is not None:
            presence.stop_waiting(self._timeout, self._handle)
        with translated_errors(presence):
            await self._timeout.__aexit__(type(error) if error is not None else None, error, None)
            if error is not None and is_unavailability(error):
                raise error
        if error is None and presence is not None:
            presence.note_answer()


def _refuse_closed(connection: Any, _record: object, _proxy: object) -> None:
    # The pool makes another one then. A ping would be a round trip for each session; that a server has gone is noticed by the
    # driver without asking, and one that hangs does not answer a ping either.
    if connection.driver_connection.is_closed():
        raise exc.DisconnectionError("the connection is closed")
