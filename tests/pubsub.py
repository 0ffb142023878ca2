"""What is said on the bells, message by message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from domain.event_log import SHARED_BELL, unpack_ids
from live import channels

_QUIET_SECONDS = 0.3
_END = b"tidings:end of this look"


@dataclass
class Heard:
    """A connection that has subscribed to all bells."""

    redis: Redis
    pubsub: PubSub

    async def messages(self) -> list[tuple[str, bytes]]:
        """Everything that was said since the last look: messages arrive in the order in which the server took them."""
        await self.redis.publish(channels.SHARED_BELL, _END)
        found: list[tuple[str, bytes]] = []
        async with asyncio.timeout(10):
            while True:
                message = await self.pubsub.get_message(ignore_subscribe_messages=True, timeout=_QUIET_SECONDS)
                if message is not None and message["data"] == _END:
                    return found
                if message is not None:
                    found.append((message["channel"].decode(), message["data"]))

    async def of(self, channel: str) -> list[tuple[int, ...]]:
        """The ids in the messages of a channel."""
        return [unpack_ids(message) for name, message in await self.messages() if name == channel]

    async def rings_of_all(self) -> int:
        """How often the bell of the log for all was rung."""
        return [name for name, _ in await self.messages()].count(SHARED_BELL)


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[Heard]:
    """Hears everything from now on."""
    redis = Redis.from_url(url)
    async with redis.pubsub() as pubsub:
        await pubsub.subscribe(*channels.ALL)
        for _ in channels.ALL:
            assert await pubsub.get_message(timeout=5)
        yield Heard(redis, pubsub)
    await redis.aclose()
