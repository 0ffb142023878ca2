"""The flusher may stop at any step, run many times at once and beside everybody else: counts stay those of the rows."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from services.backends import Backends
from services.engagement.flush_counters import FlushedBatch, flush_counters, waiting_seconds
from services.engagement.like_post import like_post, unlike_post
from services.posts.delete_post import delete_post
from services.posts.edit_post import edit_post
from tests.services.engagement.asking import see
from tests.services.engagement.true_counters import changes_in_flight, stored_counts, wrong_counters
from tests.world import World

STEPS = ["take", "lock", "add", "commit", "end"]


class _StoppedError(Exception):
    pass


async def _like(world: World, names: list[str], *posts: int) -> None:
    work = (like_post(world.backends, viewer_id=world.ids[name], post_id=post) for name in names for post in posts)
    await asyncio.gather(*work)


@pytest.mark.parametrize("step", STEPS)
async def test_a_flusher_may_end_at_any_step(world: World, step: str) -> None:
    await world.add("ada", "bob", "cat")
    post, other = await world.post("ada"), await world.post("bob")
    await _like(world, ["bob", "cat"], post, other)
    await flush_counters(world.backends)
    await unlike_post(world.backends, viewer_id=world.ids["cat"], post_id=post)
    await _like(world, ["ada"], post, other)

    def stop(at: str) -> None:
        if at == step:
            raise _StoppedError

    with pytest.raises(_StoppedError):
        await flush_counters(world.backends, at_step=stop)
    assert ((await see(world, None, post))["likeCount"], (await see(world, None, other))["likeCount"]) == (2, 3)
    assert await wrong_counters(world.backends) == []
    is_done = step == "end"
    assert await changes_in_flight(world.backends) == (0 if is_done else 3)
    assert await stored_counts(world.backends, post) == (2, 0)
    assert await stored_counts(world.backends, other) == (3 if is_done else 2, 0)
    await flush_counters(world.backends)
    assert await stored_counts(world.backends, other) == (3, 0)
    assert await wrong_counters(world.backends) == []


async def test_a_cancelled_flusher_leaves_nothing_half_done(world: World) -> None:
    await world.add("ada", "bob")
    posts = [await world.post("ada", f"post {number}") for number in range(5)]
    for delay in range(12):
        await _like(world, ["bob"], *posts)
        task = asyncio.create_task(flush_counters(world.backends))
        await asyncio.sleep(delay / 2_000)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for post in posts:
            await unlike_post(world.backends, viewer_id=world.ids["bob"], post_id=post)
        assert await wrong_counters(world.backends) == []
    await flush_counters(world.backends)
    assert [await stored_counts(world.backends, post) for post in posts] == [(0, 0)] * 5


async def test_flushers_beside_each_other_and_beside_shares_edits_and_ends(world: World) -> None:
    """Nobody waits in a circle: who locks several posts does so from the newest to the oldest."""
    names = [f"fan{number}" for number in range(4)]
    await world.add("ada", *names)
    roots = [await world.post("ada", f"root {number}") for number in range(3)]
    is_over = asyncio.Event()

    async def flush(backends: Backends) -> None:
        while not is_over.is_set():
            await flush_counters(backends)
            await asyncio.sleep(0)

    async def go(name: str) -> None:
        user_id = world.ids[name]
        for turn in range(2):
            quotes = [await world.share(name, root, f"words {turn}") for root in roots]
            await _like(world, [name], *roots, *quotes)
            await edit_post(world.backends, author_id=user_id, post_id=quotes[0], body="other words", visibility=None)
            for quote in quotes:
                await delete_post(world.backends, author_id=user_id, post_id=quote)
            for root in roots:
                await unlike_post(world.backends, viewer_id=user_id, post_id=root)

    flushing = [asyncio.create_task(flush(world.backends)) for _ in range(2)]
    await asyncio.gather(*(go(name) for name in names))
    is_over.set()
    await asyncio.gather(*flushing)
    await flush_counters(world.backends)
    assert await wrong_counters(world.backends) == []
    for root in roots:
        found = await see(world, None, root, "likeCount shareCount")
        assert found == {"likeCount": 0, "shareCount": 0}


async def test_many_changes_are_few_writes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.engagement.flush_counters.BATCH_CHANGES", 4)
    names = [f"fan{number}" for number in range(5)]
    await world.add("ada", *names)
    posts = [await world.post("ada", f"post {number}") for number in range(2)]
    assert await waiting_seconds(world.backends) is None
    await _like(world, names, *posts)
    waited = await waiting_seconds(world.backends)
    assert waited is not None
    assert waited >= 0
    batches: list[FlushedBatch] = []
    assert await flush_counters(world.backends, on_batch=batches.append) == 10
    assert [batch.changes for batch in batches] == [4, 4, 2]
    assert all(batch.posts <= 2 and batch.oldest_seconds >= 0 for batch in batches)
    assert await wrong_counters(world.backends) == []


async def test_a_counter_that_has_drifted_below_nothing_stops_nobody(world: World) -> None:
    """What is shown is never negative, and the flusher goes on."""
    await world.add("ada", "bob")
    post, other = await world.post("ada"), await world.post("ada")
    await _like(world, ["bob"], post, other)
    await flush_counters(world.backends)
    async with world.backends.database.writing() as session:
        await session.execute(text("UPDATE posts SET like_count = 0"))
    await unlike_post(world.backends, viewer_id=world.ids["bob"], post_id=post)
    assert await flush_counters(world.backends) == 1
    assert await stored_counts(world.backends, post) == (-1, 0)
    assert (await see(world, None, post))["likeCount"] == 0


async def test_likes_do_not_wait_for_whoever_holds_the_post(world: World) -> None:
    """The row of a hot post is nobody's bottleneck."""
    await world.add("ada", "bob")
    post = await world.post("ada")
    async with world.backends.database.writing() as session:
        await session.execute(text("SELECT FROM posts WHERE id = :id FOR UPDATE"), {"id": post})
        async with asyncio.timeout(5):
            await _like(world, ["bob"], post)
            assert (await see(world, "bob", post))["likeCount"] == 1
