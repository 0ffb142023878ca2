"""Real relay and worker processes add likes to posts, and are killed while they do: every like is counted once."""

from __future__ import annotations

import asyncio
import os
import signal

from sqlalchemy import text

from app.stack.processes import ChildProcess
from services.backends import Backends
from services.engagement.like_post import like_post, unlike_post
from settings import Settings
from tests.services.engagement.true_counters import changes_in_flight, stored_counts, wrong_counters
from tests.stories.test_killed_workers import process
from tests.world import World

PEOPLE = 10
TURNS = 12


async def test_a_killed_worker_counts_nothing_twice_and_loses_nothing(settings: Settings, backends: Backends) -> None:
    world = World(backends)
    names = [f"fan{number}" for number in range(PEOPLE)]
    await world.add("ada", *names)
    post = await world.post("ada")

    async def go(name: str, number: int) -> None:
        for turn in range(TURNS):
            write = unlike_post if turn % 2 else like_post
            await write(backends, viewer_id=world.ids[name], post_id=post)
            await asyncio.sleep(0.01 * (number % 3))
        if number % 2:
            await like_post(backends, viewer_id=world.ids[name], post_id=post)

    with process("relay", settings):
        with process("worker", settings) as worker:
            going = asyncio.gather(*(go(name, number) for number, name in enumerate(names)))
            await _has_flushed(world)
            _kill(worker)
        assert await wrong_counters(backends) == []
        with process("worker", settings) as worker:
            await going
            _kill(worker)
        assert await wrong_counters(backends) == []
        with process("worker", settings):
            async with asyncio.timeout(30):
                while await changes_in_flight(backends):
                    await asyncio.sleep(0.05)
    assert await stored_counts(backends, post) == (PEOPLE // 2, 0)
    assert await wrong_counters(backends) == []


async def _has_flushed(world: World) -> None:
    """Some changes were added, whatever they came to."""
    taken = text("SELECT (SELECT last_value FROM counter_changes_id_seq) > (SELECT count(*) FROM counter_changes)")
    async with asyncio.timeout(30):
        while True:
            async with world.backends.database.reading() as session:
                if (await session.execute(taken)).scalar_one():
                    return
            await asyncio.sleep(0.005)


def _kill(process: ChildProcess) -> None:
    os.kill(process.pid, signal.SIGKILL)
