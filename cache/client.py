"""The Redis client of a process: deadlines, a breaker, and the identity of the server's run.

What is hot goes over one socket for all (`call`, `call_many`, `hot_script`), the rest through redis-py's pool (`run`).

A timeline is only believed under the server run in which it was built (a restarted server may have come back with an older
state). The run is asked for on every new connection, hot or of the pool, before anything else: a connection never outlives its
server's run, so a run id read from `RedisClient.run_id` *after* a reply is at least as new as the server that gave the reply.
For replies of the hot connection it is exactly the run of that server, or a newer one: as soon as another connection reaches
another run, the hot one is ended, and what it had been asked fails.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar, cast

import hiredis
from redis.asyncio import Connection, ConnectionPool, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from cache.hot_address import parse_address
from cache.hot_connection import HotConnection, pack_shared
from cache.hot_script import Command, HotScript, PackedScript
from cache.hot_socket import Unanswered
from cache.packing import Part
from cache.server_run import QUESTION, EarlierRunError, ServerRun
from domain.errors import CacheUnavailableError

T = TypeVar("T")

_BREAKER_SECONDS = 1.0
"""After a failure nobody asks again for so long: a hung server costs one request a second its deadline, not every request."""
_SPARE_CONNECTIONS = 10
"""Left to commands that do not go through `RedisClient.run`."""


class _RunAware:
    """Mixed into a connection class: asks for the server's run at each connect."""

    def __init__(self, *args: Any, run: ServerRun, **kwargs: Any) -> None:
        self._run = run
        super().__init__(*args, **kwargs)

    async def on_connect_check_health(self, check_health: bool = True) -> None:
        # Every way of connecting ends here, and nothing is sent before it has returned.
        connection = cast("Connection", super())
        await connection.on_connect_check_health(check_health=check_health)
        question = self._run.ask()
        await connection.send_command(*QUESTION)
        try:
            self._run.learn(question, await connection.read_response())
        except (ValueError, EarlierRunError) as error:
            raise RedisConnectionError(str(error)) from error


class _TcpConnection(_RunAware, Connection):
    pass


class _TlsConnection(_RunAware, SSLConnection):
    pass


class _UnixConnection(_RunAware, UnixDomainSocketConnection):
    pass


class RedisClient:
    """One hot connection and a pool of others. `timeout_seconds` bounds connecting and each command; no silent retries.

    To be used from one event loop. Raises ValueError for an address of none, or of a cluster.
    """

    def __init__(self, url: str, *, timeout_seconds: float, max_connections: int = 50) -> None:
        if url.startswith("redis+cluster://"):
            raise ValueError("redis+cluster:// is not supported yet: give the address of a single Redis or Valkey server")
        self._run = ServerRun()
        self.url = url
        if url.startswith("unix://"):
            connection_class: type[Connection] = cast("type[Connection]", _UnixConnection)
        else:
            connection_class = _TlsConnection if url.startswith("rediss://") else _TcpConnection
        self._pool = ConnectionPool.from_url(
            url,
            run=self._run,
            max_connections=max_connections,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 0),
            health_check_interval=0,
            protocol=2,
        )
        self._pool.connection_class = connection_class
        self.redis: Redis = Redis(connection_pool=self._pool)
        self._hot = HotConnection(parse_address(url), self._run, timeout_seconds=timeout_seconds, on_failure=self._suspend)
        self._sources: dict[Part, str] = {}
        """Of hot scripts, by digest."""
        self._closed_until = 0.0
        # A crowd waits, in the order of its coming: finding no connection free is no sign that the server is away.
        self._slots = asyncio.Semaphore(max(1, max_connections - _SPARE_CONNECTIONS))

    @property
    def run_id(self) -> str:
        """The run of the server that the newest connection reached; empty before the first one."""
        return self._run.id

    @property
    def is_suspended(self) -> bool:
        """Whether the last failure is so recent that nobody should ask."""
        return time.monotonic() < self._closed_until

    async def run(self, command: Awaitable[T]) -> T:
        """The reply. Raises CacheUnavailableError where Redis is away, too slow, refuses, or has just failed."""
        has_begun = False
        try:
            async with self._slots:
                if self.is_suspended:
                    raise CacheUnavailableError("Redis failed a moment ago")
                has_begun = True
                return await command
        except (RedisError, OSError, TimeoutError) as error:
            self._suspend()
            raise CacheUnavailableError(str(error)) from error
        finally:
            if not has_begun and hasattr(command, "close"):
                command.close()

    async def call(self, *command: Part) -> Any:
        """The reply over the hot connection as the server gives it: bytes, int, None, lists of these. Raises as `run` does.

        Whether a command that has failed was carried out is not known; one whose caller is cancelled may be. Raises ValueError
        for commands that block or that change what the connection is, TypeError for parts that are no text, bytes or number.
        """
        packed = pack_shared(command)
        if self.is_suspended:
            raise CacheUnavailableError("Redis failed a moment ago")
        reply = await self._hot.ask(packed)
        if isinstance(reply, Exception):
            (reply,) = await self._settle([command], [reply])
        return reply

    async def call_many(self, commands: Sequence[Command]) -> list[Any]:
        """The replies to several commands that go out together; one error reply fails them all. Otherwise as `call`.

        A script that the server does not know yet is sent whole and run after the others; nothing is run twice.
        """
        packed = b"".join([pack_shared(command) for command in commands])
        if not commands:
            return []
        if self.is_suspended:
            raise CacheUnavailableError("Redis failed a moment ago")
        answer = await self._hot.ask(packed, len(commands))
        if isinstance(answer, Unanswered):
            raise CacheUnavailableError(str(answer))
        if any(isinstance(reply, Exception) for reply in answer):
            return await self._settle(commands, answer)
        return cast("list[Any]", answer)

    def hot_script(self, source: str) -> HotScript:
        """A script for `call` and `call_many`."""
        script = HotScript(self.call, source)
        self._sources[script.digest] = source
        return script

    async def _settle(self, commands: Sequence[Command], replies: list[Any]) -> list[Any]:
        """The replies, those to scripts that the server did not know from a second attempt; any other failure is raised."""
        unknown = [place for place, reply in enumerate(replies) if self._is_unknown(commands[place], reply)]
        if unknown:
            packed = [self._with_source(commands[place]) for place in unknown]
            answer = await self._hot.ask(b"".join(packed), len(packed))
            if isinstance(answer, Unanswered):
                raise CacheUnavailableError(str(answer))
            for place, reply in zip(unknown, answer, strict=True):
                replies[place] = reply
        for reply in replies:
            if isinstance(reply, Exception):
                if isinstance(reply, hiredis.ReplyError):
                    self._suspend()
                raise CacheUnavailableError(str(reply)) from reply
        return replies

    def _with_source(self, command: Command) -> bytes:
        if isinstance(command, PackedScript):
            return command.with_source(self._sources[command.digest])
        return pack_shared(("EVAL", self._sources[command[1]], *command[2:]))

    def _is_unknown(self, command: Command, reply: Any) -> bool:
        """Whether the server said that it does not have a script of ours: then it has done nothing."""
        if not isinstance(reply, hiredis.ReplyError) or not str(reply).startswith("NOSCRIPT"):
            return False
        if isinstance(command, PackedScript):
            return command.digest in self._sources
        return command[0] == "EVALSHA" and command[1] in self._sources

    def _suspend(self) -> None:
        self._closed_until = time.monotonic() + _BREAKER_SECONDS

    async def is_reachable(self) -> bool:
        """Whether Redis answers now; asks even while suspended."""
        try:
            await self.redis.ping()
        except (RedisError, OSError, TimeoutError):
            return False
        self._closed_until = 0.0
        return True

    async def close(self) -> None:
        await self._hot.close()
        await self.redis.aclose()
        await self._pool.disconnect()
