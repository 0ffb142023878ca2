"""What is given up is not delivered, and is in every feed all the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from db.posts import decide_delivery
from db.waiting_rows import WaitingQueue, count_waiting_rows, retry_parked_rows
from domain.records import Delivery, Visibility
from services.posts.delete_post import delete_post
from services.waiting.give_up_parked_rows import give_up_parked_rows
from tests.services.graph.facts import execute, query
from tests.world import World

_PARK = "UPDATE outbox SET parked_at = clock_timestamp(), failures = 12, last_error = 'no' WHERE closed_at IS NULL"
_PARKED = "SELECT id FROM outbox WHERE closed_at IS NULL AND parked_at IS NOT NULL"


async def _people(world: World) -> list[int]:
    await world.add("ada", "bob", "cat")
    await world.follow("bob", "ada")
    posts = [await world.post("ada")]
    await world.drain()
    await world.warm("bob")
    return posts


@pytest.mark.parametrize("delivery", [None, Delivery.PUSH, Delivery.PULL])
async def test_posts_that_were_not_delivered(world: World, delivery: Delivery | None) -> None:
    posts = await _people(world)
    if delivery is Delivery.PULL:
        # So that the author's list is in the cache, and lacks what follows.
        world.backends = replace(world.backends, policy=replace(world.backends.policy, celebrity_threshold=0))
        posts.append(await world.post("ada"))
        await world.drain()
        assert await world.walk("bob") == posts[::-1]
    posts.append(await world.post("ada"))
    if delivery is not None:
        async with world.backends.database.writing() as session:
            await decide_delivery(session, posts[-1], author_id=world.ids["ada"], delivery=delivery)
    hidden = await world.post("ada", visibility=Visibility.PRIVATE)
    await execute(world, _PARK)
    assert await world.drain() == 0
    assert await world.walk("bob") == posts[::-1]
    given_up = await give_up_parked_rows(world.backends, WaitingQueue.OUTBOX, None)
    assert len(given_up) == 2
    assert await query(world, _PARKED) == []
    assert await world.walk("bob") == posts[::-1]
    assert await world.walk("ada") == [hidden, *posts[::-1]]
    await world.follow("cat", "ada")
    assert await world.walk("cat") == posts[::-1]
    posts.append(await world.post("ada"))
    await world.drain()
    assert await world.walk("bob") == posts[::-1]


async def test_only_what_is_named(world: World) -> None:
    posts = await _people(world)
    posts += [await world.post("ada") for _ in range(2)]
    await delete_post(world.backends, author_id=world.ids["ada"], post_id=posts[0])
    await execute(world, _PARK)
    parked = [row[0] for row in await query(world, _PARKED)]
    assert len(parked) == 3
    assert await give_up_parked_rows(world.backends, WaitingQueue.OUTBOX, [parked[0], 999]) == [parked[0]]
    assert [row[0] for row in await query(world, _PARKED)] == parked[1:]
    async with world.backends.database.writing() as session:
        assert await retry_parked_rows(session, WaitingQueue.OUTBOX, [parked[1]]) == [parked[1]]
        assert await retry_parked_rows(session, WaitingQueue.OUTBOX, [parked[1]]) == []
    assert await world.drain() == 1
    async with world.backends.database.reading() as session:
        totals = await count_waiting_rows(session, WaitingQueue.OUTBOX)
    assert (totals.open, totals.parked, totals.oldest_open_seconds) == (0, 1, 0)
    assert await world.walk("bob") == posts[:0:-1]
