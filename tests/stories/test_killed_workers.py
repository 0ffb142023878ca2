"""Real relay and worker processes: killed in the middle, and their queue wiped. Every post reaches every timeline."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import redis.asyncio

from app.stack.processes import ChildProcess
from services.backends import Backends
from settings import Settings
from tests.world import World, newest_first

LEASE_SECONDS = 2.0
FOLLOWERS = 12


@contextmanager
def process(role: str, settings: Settings) -> Iterator[ChildProcess]:
    environment = {
        **os.environ,
        "TIDINGS_DATABASE_URL": settings.database_url.get_secret_value(),
        "TIDINGS_REDIS_URL": settings.redis_url.get_secret_value(),
        "TIDINGS_BROKER_URL": settings.broker_url.get_secret_value(),
        "TIDINGS_OUTBOX_LEASE_SECONDS": str(LEASE_SECONDS),
        "TIDINGS_OUTBOX_POLL_SECONDS": "0.2",
        "TIDINGS_FANOUT_BATCH": "3",
        "TIDINGS_FANOUT_CACHE_BATCH": "1",
        "TIDINGS_LOG_LEVEL": "error",
    }
    with ChildProcess([sys.executable, "-m", "workers.main", role], name=role, env=environment) as child:
        yield child


async def _delivered(world: World, names: list[str], posts: list[int], *, within_seconds: float) -> None:
    expected = newest_first(posts)
    async with asyncio.timeout(within_seconds):
        for name in names:
            while (await world.backends.timelines.inspect(world.ids[name])).ids != expected:
                await asyncio.sleep(0.05)


async def test_a_killed_worker_and_a_wiped_queue_lose_nothing(settings: Settings, backends: Backends) -> None:
    world = World(backends)
    names = [f"f{number}" for number in range(FOLLOWERS)]
    await world.add("ada", *names)
    for name in names:
        await world.follow(name, "ada")
        await world.warm(name)
    broker = redis.asyncio.from_url(settings.broker_url.get_secret_value())
    with process("relay", settings):
        with process("worker", settings) as worker:
            posts = [await world.post("ada") for _ in range(3)]
            await _delivered(world, names, posts, within_seconds=20)
            # In the middle of a fan-out: what it is at stays half done, what waits stays in its hands.
            posts += [await world.post("ada") for _ in range(25)]
            while not (await world.backends.timelines.inspect(world.ids[names[0]])).ids[0] > posts[2]:
                await asyncio.sleep(0.001)
            os.kill(worker.pid, signal.SIGKILL)
        for name in names[:3]:
            assert await world.walk(name, 10) == newest_first(posts)
        with process("worker", settings):
            await _delivered(world, names, posts, within_seconds=25)
            posts += [await world.post("ada") for _ in range(25)]
            await broker.flushall()
            posts += [await world.post("ada")]
            await _delivered(world, names, posts, within_seconds=25)
    await broker.aclose()
    for name in names[:3]:
        assert await world.walk(name, 10) == newest_first(posts)
