"""The one pub/sub connection of a process.

Pub/sub loses messages whenever its connection is cut, without a word. So every (re)connection counts as a ring, and a timer
rings besides: a lost bell costs seconds, never an event.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from live import channels

TIMER_SECONDS = 5.0
_RECONNECT_SECONDS = 0.5
_CONNECT_TIMEOUT_SECONDS = 2.0

log = structlog.get_logger(__name__)


class BellListener:
    """Calls `on_ring` whenever something may have happened. `on_ring` must return at once."""

    def __init__(self, url: str, on_ring: Callable[[], None]) -> None:
        self._redis = Redis.from_url(
            url,
            socket_timeout=TIMER_SECONDS * 2,
            socket_connect_timeout=_CONNECT_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            health_check_interval=0,
            protocol=2,
        )
        self._on_ring = on_ring
        self._task: asyncio.Task[None] | None = None
        self.is_connected = False

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="bell-listener")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            await self._redis.aclose()

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except (RedisError, OSError, TimeoutError) as error:
                if self.is_connected:
                    log.warning("live.listener_disconnected", error=type(error).__name__)
                self.is_connected = False
                self._on_ring()
                await asyncio.sleep(_RECONNECT_SECONDS + random.random() * _RECONNECT_SECONDS)  # noqa: S311

    async def _listen(self) -> None:
        async with self._redis.pubsub() as pubsub:
            await pubsub.subscribe(channels.NEW_POSTS)
            while True:
                # The subscription's own confirmation is a message too, and so a ring.
                await pubsub.get_message(timeout=TIMER_SECONDS * (0.8 + 0.4 * random.random()))  # noqa: S311
                self.is_connected = True
                self._on_ring()
