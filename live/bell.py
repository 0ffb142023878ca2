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

_PAUSE_SECONDS = 0.002
"""One ring stands for all that was committed within this time."""
_MOST_IDS = 4_000
"""In one message: 32 kB."""


class LiveBell(Protocol):
    """Rings every listening process. (What goes to event logs is rung in the step that writes them.)"""

    def ring_counts(self, post_ids: Iterable[int]) -> None:
        """The counts of posts have changed: call it after the commit. Returns at once; the ring follows within milliseconds."""

    def ring_notifications(self, recipient_ids: Iterable[int]) -> None:
        """These accounts have something new to be told; otherwise the same."""


class RedisBell:
    """Rings through Redis pub/sub. A ring that is lost costs listeners their timer, never an event."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._task: asyncio.Task[None] | None = None
        self._waiting: dict[str, set[int]] = {channels.POST_COUNTS: set(), channels.NOTIFICATIONS: set()}

    def ring_counts(self, post_ids: Iterable[int]) -> None:
        self._ring(channels.POST_COUNTS, post_ids)

    def ring_notifications(self, recipient_ids: Iterable[int]) -> None:
        self._ring(channels.NOTIFICATIONS, recipient_ids)

    async def close(self) -> None:
        """Gives up a ring that is still under way."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _ring(self, channel: str, ids: Iterable[int]) -> None:
        self._waiting[channel].update(ids)
        if self._waiting[channel] and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._ring_while_waiting(), name="live-bell")

    async def _ring_while_waiting(self) -> None:
        while any(self._waiting.values()):
            for channel, waiting in self._waiting.items():
                ids = list(waiting)
                waiting.clear()
                for start in range(0, len(ids), _MOST_IDS):
                    await self._publish(channel, pack_ids(ids[start : start + _MOST_IDS]))
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _publish(self, channel: str, message: bytes) -> None:
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            await self._redis.publish(channel, message)
