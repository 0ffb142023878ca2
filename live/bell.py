"""The doorbell. What has happened stands in PostgreSQL and in the event logs; the bell only says: look now."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError

from domain.event_log import pack_ids
from live import channels

_PAUSE_SECONDS = 0.02
"""One ring stands for all that was committed within this time."""
_MOST_IDS = 4_000
"""In one message: 32 kB."""


class LiveBell(Protocol):
    """Rings every listening process. (What goes to event logs is rung in the step that writes them.)"""

    def ring_counts(self, post_ids: Iterable[int]) -> None:
        """The counts of posts have changed: call it after the commit. Returns at once; the ring follows within milliseconds."""


class RedisBell:
    """Rings through Redis pub/sub. A ring that is lost costs listeners their timer, never an event."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._task: asyncio.Task[None] | None = None
        self._counted: set[int] = set()

    def ring_counts(self, post_ids: Iterable[int]) -> None:
        self._counted.update(post_ids)
        if self._counted and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._ring_while_counted(), name="live-bell")

    async def close(self) -> None:
        """Gives up a ring that is still under way."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _ring_while_counted(self) -> None:
        while self._counted:
            counted, self._counted = list(self._counted), set()
            for start in range(0, len(counted), _MOST_IDS):
                await self._publish(channels.POST_COUNTS, pack_ids(counted[start : start + _MOST_IDS]))
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _publish(self, channel: str, message: bytes) -> None:
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            await self._redis.publish(channel, message)
