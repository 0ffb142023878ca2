"""No false alarm: audits while posts are written, hidden, deleted, fanned out, timelines read, forgotten and trimmed."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import replace

import pytest

from domain.errors import RefusedError
from domain.records import Visibility
from services.feeds.audit_timelines import audit_timelines
from services.posts.delete_post import delete_post
from services.posts.edit_post import edit_post
from tests.world import World

_PEOPLE = 8
_SECONDS = 2.5
_SHOWN = (Visibility.PUBLIC, Visibility.PUBLIC, Visibility.FRIENDS, Visibility.PRIVATE)


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_running_system_gives_no_false_alarm(world: World, seed: int) -> None:
    world.backends = replace(
        world.backends, policy=replace(world.backends.policy, celebrity_threshold=5, fanout_batch=2, fanout_cache_batch=1)
    )
    world.backends.timelines.cap = 5
    names = [f"p{number}" for number in range(_PEOPLE)]
    await world.add(*names)
    chance = random.Random(seed)
    for name in names:
        await world.follow(name, *chance.sample([other for other in names if other != name], 4))
    posts: list[tuple[str, int]] = []
    end = time.monotonic() + _SECONDS
    audited = 0

    async def write() -> None:
        while time.monotonic() < end:
            author = chance.choice(names)
            posts.append((author, await world.post(author, visibility=chance.choice(_SHOWN))))
            await asyncio.sleep(chance.random() * 0.01)

    async def change() -> None:
        while time.monotonic() < end:
            await asyncio.sleep(chance.random() * 0.02)
            if not posts:
                continue
            author, post_id = posts[-1 - chance.randrange(min(10, len(posts)))]
            try:
                if chance.random() < 0.3:
                    await delete_post(world.backends, author_id=world.ids[author], post_id=post_id)
                else:
                    await edit_post(
                        world.backends,
                        author_id=world.ids[author],
                        post_id=post_id,
                        body=None,
                        visibility=chance.choice(_SHOWN),
                    )
            except RefusedError:  # deleted
                continue

    async def deliver() -> None:
        while time.monotonic() < end:
            await world.drain()
            await asyncio.sleep(chance.random() * 0.01)

    async def read() -> None:
        while time.monotonic() < end:
            await world.page(chance.choice(names), chance.randrange(1, 8))
            if chance.random() < 0.1:
                await world.backends.timelines.forget([world.ids[chance.choice(names)]])

    async def follow() -> None:
        # No unfollowing: a fan-out under way may bring its post into the new timeline, which readers filter, and audits name.
        while time.monotonic() < end:
            await world.follow(*chance.sample(names, 2))
            await asyncio.sleep(0.2)

    async def audit() -> None:
        nonlocal audited
        while time.monotonic() < end:
            for found in await audit_timelines(world.backends, [world.ids[name] for name in names]):
                assert found.is_right, found
                audited += found.is_warm
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for work in (write(), change(), deliver(), deliver(), read(), read(), follow(), audit()):
            group.create_task(work)
    assert audited > 0
    await world.drain()
    for found in await audit_timelines(world.backends, [world.ids[name] for name in names]):
        assert found.is_right, found
