"""The Redis client of a process: deadlines, a breaker, and the identity of the server's run.

A timeline is only believed under the server run in which it was built (a restarted server may have come back with an older
state). The run is asked for on every new connection, before anything else: a connection never outlives its server's run, so a
run id read from `RedisClient.run_id` *after* a reply is at least as new as the server that gave the reply.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Any, TypeVar, cast

from redis.asyncio import Connection, ConnectionPool, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from domain.errors import CacheUnavailableError

T = TypeVar("T")

_BREAKER_SECONDS = 1.0
"""After a failure nobody asks again for so long: a hung server costs one request a second its deadline, not every request."""
_SPARE_CONNECTIONS = 10
"""Left to commands that do not go through `RedisClient.run`."""
_RUN_ID_LENGTH = 12
"""Enough of the 40 hexadecimal digits to tell runs apart, short enough for the timeline's compact encoding."""


class _Run:
    """The server run that the newest connection belongs to."""

    def __init__(self) -> None:
        self.id = ""


class _RunAware:
    """Mixed into a connection class: asks for the server's run at each connect."""

    def __init__(self, *args: Any, run: _Run, **kwargs: Any) -> None:
        self._run = run
        super().__init__(*args, **kwargs)

    async def on_connect_check_health(self, check_health: bool = True) -> None:
        # Every way of connecting ends here, and nothing is sent before it has returned.
        connection = cast("Connection", super())
        await connection.on_connect_check_health(check_health=check_health)
        await connection.send_command("INFO", "server")
        reply = await connection.read_response()
        text = reply.decode() if isinstance(reply, bytes) else str(reply)
        for line in text.splitlines():
            if line.startswith("run_id:"):
                self._run.id = line.removeprefix("run_id:").strip()[:_RUN_ID_LENGTH]
                return
        raise RedisConnectionError("the server does not say which run it is")


class _TcpConnection(_RunAware, Connection):
    pass


class _TlsConnection(_RunAware, SSLConnection):
    pass


class _UnixConnection(_RunAware, UnixDomainSocketConnection):
    pass


class RedisClient:
    """One pool of connections. `timeout_seconds` bounds connecting and each command; there are no silent retries."""

    def __init__(self, url: str, *, timeout_seconds: float, max_connections: int = 50) -> None:
        if url.startswith("redis+cluster://"):
            raise ValueError("redis+cluster:// is not supported yet: give the address of a single Redis or Valkey server")
        self._run = _Run()
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
            self._closed_until = time.monotonic() + _BREAKER_SECONDS
            raise CacheUnavailableError(str(error)) from error
        finally:
            if not has_begun and hasattr(command, "close"):
                command.close()

    async def is_reachable(self) -> bool:
        """Whether Redis answers now; asks even while suspended."""
        try:
            await self.redis.ping()
        except (RedisError, OSError, TimeoutError):
            return False
        self._closed_until = 0.0
        return True

    async def close(self) -> None:
        await self.redis.aclose()
        await self._pool.disconnect()
