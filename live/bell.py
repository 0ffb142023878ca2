"""The doorbell of the live feed. What has happened stands in PostgreSQL; the bell only says: look now."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError

from live import channels

_PAUSE_SECONDS = 0.002
"""One ring stands for all that was committed within this time."""


class LiveBell(Protocol):
    """Rings every listening process."""

    async def ring(self) -> None:
        """Returns when it has been rung, or could not be."""

    def ring_soon(self) -> None:
        """Returns at once; the ring follows within milliseconds."""


class RedisBell:
    """Rings through Redis pub/sub. A ring that is lost costs listeners their timer, never an event."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._task: asyncio.Task[None] | None = None
        self._is_wanted = False

    async def ring(self) -> None:
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            await self._redis.publish(channels.NEW_POSTS, b"")

    def ring_soon(self) -> None:
        self._is_wanted = True
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._ring_while_wanted(), name="live-bell")

    async def close(self) -> None:
        """Gives up a ring that is still under way."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _ring_while_wanted(self) -> None:
        while self._is_wanted:
            self._is_wanted = False
            await self.ring()
            await asyncio.sleep(_PAUSE_SECONDS)
