"""Tests of counting what is unseen from memory: the same as the long way, which the walks compare with SQL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.feeds import feed_position
from services.feeds.feed_position import mark_feed_seen, read_feed_position
from tests.world import World


async def _counts(world: World, name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, bool]:
    """What both ways say, and whether the quick one did not need the other."""
    viewer_id, taken = world.ids[name], []
    count = feed_position._count_quickly

    async def counted(*arguments: object) -> object:
        found = await count(*arguments)  # type: ignore[arg-type]
        taken.append(found is not None)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(feed_position, "_count_quickly", counted)
        quick = await read_feed_position(world.backends, viewer_id=viewer_id)
    long = await read_feed_position(replace(world.backends, memory=None), viewer_id=viewer_id)
    assert quick == long
    return quick.unseen_count, taken == [True]


async def test_it_is_counted_from_memory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.add("bob", "ada", "eve")
    await world.follow("bob", "ada", "eve")
    for number in range(30):
        await world.post("ada" if number % 3 else "eve", f"post {number}")
    await world.drain()
    await world.page("bob")
    assert await _counts(world, "bob", monkeypatch) == (30, True)
    entries = (await world.page("bob", 20)).edges
    await mark_feed_seen(world.backends, viewer_id=world.ids["bob"], cursor=entries[11].cursor)
    assert await _counts(world, "bob", monkeypatch) == (11, True)
    await world.post("ada", "newer, and on its way")
    await world.post("bob", "an own one")
    assert await _counts(world, "bob", monkeypatch) == (13, True)


async def test_far_below_it_is_the_long_way(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.backends.timelines, "cap", 40)
    monkeypatch.setattr(feed_position, "_CANDIDATES", (10, 60))
    await world.add("bob", "ada")
    await world.follow("bob", "ada")
    for number in range(120):
        await world.post("ada", f"post {number}")
    await world.drain()
    await world.page("bob")
    assert await _counts(world, "bob", monkeypatch) == (120, False), "more than are looked at in one go"
    monkeypatch.setattr(feed_position, "_CANDIDATES", (10, 150))
    assert await _counts(world, "bob", monkeypatch) == (120, True), "beyond the cache the ids are PostgreSQL's to tell"
    entries = (await world.page("bob", 20)).edges
    await mark_feed_seen(world.backends, viewer_id=world.ids["bob"], cursor=entries[4].cursor)
    assert await _counts(world, "bob", monkeypatch) == (4, True), "the newest of a cut timeline are enough"
