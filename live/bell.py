"""The doorbell of the live feed. What has happened stands in PostgreSQL; the bell only says: look now."""

from __future__ import annotations

from typing import Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError

from live import channels


class LiveBell(Protocol):
    """Rings every listening process."""

    async def ring(self) -> None: ...


class RedisBell:
    """Rings through Redis pub/sub. A ring that is lost costs listeners their timer, never an event."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def ring(self) -> None:
        try:
            await self._redis.publish(channels.NEW_POSTS, b"")
        except (RedisError, OSError, TimeoutError):
            return
