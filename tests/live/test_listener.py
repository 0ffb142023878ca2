"""The listener of a process: nothing that is said is lost, few calls, and every doubt is a ring of all bells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from app.stack.servers import EmbeddedServers
from domain.event_log import pack_ids, unpack_ids
from live import channels
from live.bell import RedisBell
from live.listener import BellListener
from services.backends import Backends


@dataclass
class Ear:
    """What the listener has told."""

    calls: list[tuple[str, bytes | None]] = field(default_factory=list)

    def __call__(self, channel: str, message: bytes | None) -> None:
        self.calls.append((channel, message))

    def ids(self, channel: str) -> list[int]:
        return [one for name, message in self.calls if name == channel and message for one in unpack_ids(message)]

    def doubts(self) -> set[str]:
        return {name for name, message in self.calls if message is None}

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not is_so():
                await asyncio.sleep(0.01)


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
async def listener(servers: EmbeddedServers, ear: Ear, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BellListener]:
    """It has subscribed, and its timer is far away."""
    monkeypatch.setattr("live.listener.TIMER_SECONDS", 60.0)
    listener = BellListener(servers.urls.redis_url, ear)
    listener.start()
    await ear.until(lambda: ear.doubts() == set(channels.ALL))
    ear.calls.clear()
    yield listener
    await listener.stop()


async def test_messages_that_come_together_are_told_together(backends: Backends, listener: BellListener, ear: Ear) -> None:
    assert listener.is_connected
    pipeline = backends.redis.redis.pipeline(transaction=False)
    for number in range(500):
        pipeline.publish(channels.VIEWERS_BELL, pack_ids([number, -number]))
        pipeline.publish(channels.POST_COUNTS, pack_ids([number]))
        pipeline.publish(channels.SHARED_BELL, b"")
    await pipeline.execute()
    await ear.until(lambda: len(ear.ids(channels.POST_COUNTS)) == 500 and len(ear.ids(channels.VIEWERS_BELL)) == 1_000)
    assert ear.ids(channels.VIEWERS_BELL)[::2] == list(range(500))
    assert ear.ids(channels.POST_COUNTS) == list(range(500))
    assert (channels.SHARED_BELL, b"") in ear.calls
    assert len(ear.calls) < 500
    assert not ear.doubts()


async def test_bells_of_the_process_are_heard(backends: Backends, listener: BellListener, ear: Ear) -> None:
    bell = RedisBell(backends.redis.redis)
    for number in range(50):
        bell.ring_counts([number, number // 2])
    bell.ring_counts([])
    await ear.until(lambda: set(ear.ids(channels.POST_COUNTS)) == set(range(50)))
    assert len(ear.ids(channels.POST_COUNTS)) == 50, "each once"
    await bell.close()


async def test_a_cut_connection_rings_everything(backends: Backends, listener: BellListener, ear: Ear) -> None:
    for _ in range(3):
        await backends.redis.redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # type: ignore[no-untyped-call]
        await ear.until(lambda: ear.doubts() == set(channels.ALL))
        # Again when it listens again: what was said in between is lost.
        await ear.until(lambda: sum(message is None for _, message in ear.calls) >= len(channels.ALL))
        ear.calls.clear()
        await _is_heard(backends, ear)


async def test_the_timer_rings_however_much_is_heard(
    backends: Backends, servers: EmbeddedServers, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("live.listener.TIMER_SECONDS", 0.4)
    listener = BellListener(servers.urls.redis_url, ear)
    listener.start()
    await ear.until(lambda: listener.is_connected)
    for _ in range(2):
        ear.calls.clear()
        async with asyncio.timeout(10):
            while ear.doubts() != set(channels.ALL):
                await backends.redis.redis.publish(channels.SHARED_BELL, b"")
                await asyncio.sleep(0.005)
    # Quiet for many timers: what keeps asking the server must not take it for away.
    await asyncio.sleep(2.0)
    assert listener.is_connected
    await listener.stop()


async def test_who_is_called_may_fail(
    backends: Backends, servers: EmbeddedServers, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(channel: str, message: bytes | None) -> None:
        ear(channel, message)
        raise ZeroDivisionError

    listener = BellListener(servers.urls.redis_url, fails)
    listener.start()
    await ear.until(lambda: listener.is_connected)
    await _is_heard(backends, ear)
    await listener.stop()


async def _is_heard(backends: Backends, ear: Ear) -> None:
    async with asyncio.timeout(10):
        while 7 not in ear.ids(channels.POST_COUNTS):
            await backends.redis.redis.publish(channels.POST_COUNTS, pack_ids([7]))
            await asyncio.sleep(0.01)
