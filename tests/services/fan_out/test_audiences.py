"""Lists of receivers in the worker's memory, and the chunks from the database that they stand for."""

from __future__ import annotations

import asyncio
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import text

from cache import keys
from db import audiences as audiences_module
from db.audiences import load_audience_version
from db.follows import load_follower_chunk
from services.fan_out.audiences import Audiences, ReceiverList
from tests.world import World


@given(
    some.sets(some.integers(1, 60)),
    some.dictionaries(some.integers(1, 60), some.integers(0, 10)),
    some.integers(0, 10),
    some.integers(1, 7),
)
def test_chunks_serve_everybody_once_in_order(followers: set[int], kept: dict[int, int], post_id: int, size: int) -> None:
    kept = {receiver: until for receiver, until in kept.items() if receiver not in followers}
    receivers = ReceiverList(
        1, array("q", sorted(followers)), array("q", sorted(kept)), array("q", [kept[receiver] for receiver in sorted(kept)])
    )
    served: list[int] = []
    is_last = False
    while not is_last:
        ids, is_last = receivers.chunk(post_id, after_id=served[-1] if served else 0, size=size)
        assert ids or is_last
        served += ids
    assert served == sorted(followers | {receiver for receiver, until in kept.items() if until >= post_id})


async def _keep(world: World, viewer: str, author: str, until_id: int) -> None:
    async with world.backends.database.writing() as session:
        await session.execute(
            text("INSERT INTO kept_follows (viewer_id, author_id, until_id) VALUES (:viewer, :author, :until)"),
            {"viewer": world.ids[viewer], "author": world.ids[author], "until": until_id},
        )


async def test_the_database_and_the_memory_name_the_same_receivers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.fan_out.audiences.LOAD_CHUNK", 2)
    names = [f"p{number}" for number in range(7)]
    await world.add("ada", *names)
    for name in names[:4]:
        await world.follow(name, "ada")
    old, new = await world.post("ada"), await world.post("ada")
    await _keep(world, "p4", "ada", old)
    await _keep(world, "p5", "ada", new)
    ada = world.ids["ada"]
    async with world.backends.database.reading() as session:
        version = await load_audience_version(session, ada)
        for post_id, named in ((old, names[:6]), (new, [*names[:4], "p5"])):
            expected = sorted(world.ids[name] for name in named)
            receivers = await Audiences().load(world.backends.database, ada, version)
            for size in (1, 2, 3, 50):
                from_database: list[int] = []
                while True:
                    after_id = from_database[-1] if from_database else 0
                    chunk = await load_follower_chunk(session, ada, post_id=post_id, after_id=after_id, size=size)
                    from_database += chunk
                    if len(chunk) < size:
                        break
                assert from_database == expected
            assert receivers.chunk(post_id, after_id=0, size=50) == (expected, True)


async def test_who_keeps_the_history_gets_what_is_shown_again(world: World) -> None:
    await world.add("ada", "bob")
    old = await world.post("ada")
    await world.drain()
    await _keep(world, "bob", "ada", old)
    new = await world.post("ada")
    await world.warm("bob")
    await world.backends.redis.redis.zremrangebyrank(keys.timeline(world.ids["bob"]), 1, -1)
    async with world.backends.database.writing() as session:
        await session.execute(text("INSERT INTO outbox (kind, author_id, post_id) VALUES ('post_published', :author, :post)"),
                              {"author": world.ids["ada"], "post": old})  # fmt: skip
    await world.drain()
    held = (await world.backends.timelines.inspect(world.ids["bob"])).ids
    assert old in held
    assert new not in held


async def test_many_jobs_load_a_list_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    loads = 0
    load = audiences_module.load_receivers

    async def counted(*arguments: object, **named: object) -> object:
        nonlocal loads
        loads += 1
        return await load(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("services.fan_out.audiences.load_receivers", counted)
    audiences = Audiences()
    jobs = [audiences.load(world.backends.database, world.ids["ada"], 1) for _ in range(5)]
    lists = await asyncio.gather(*jobs)
    assert loads == 1
    assert all(found is lists[0] for found in lists)
    assert audiences.known(world.ids["ada"], 1) is lists[0]
    assert audiences.known(world.ids["ada"], 2) is None


async def test_the_room_is_bounded_and_the_least_used_go_first(world: World) -> None:
    authors = ["ada", "eve", "mia"]
    await world.add("bob", "cat", *authors)
    for author in authors:
        await world.follow("bob", author)
        await world.follow("cat", author)
    audiences = Audiences(max_ids=4)
    for author in ("ada", "eve"):
        await audiences.load(world.backends.database, world.ids[author], 2)
    assert audiences.known(world.ids["ada"], 2) is not None
    await audiences.load(world.backends.database, world.ids["mia"], 2)
    assert audiences.ids_held == 4
    assert [audiences.known(world.ids[author], 2) is not None for author in authors] == [True, False, True]
    large = Audiences(max_ids=3)
    assert len((await large.load(world.backends.database, world.ids["ada"], 2)).follower_ids) == 2
    assert large.ids_held == 0


async def test_a_list_is_for_the_second_post_within_its_life(monkeypatch: pytest.MonkeyPatch) -> None:
    audiences = Audiences(max_ids=100)
    assert [audiences.expects(1, 50) for _ in range(3)] == [False, True, True]
    assert [audiences.expects(2, 51) for _ in range(2)] == [False, False]
    monkeypatch.setattr("services.fan_out.audiences.LIFE_SECONDS", -1.0)
    assert not audiences.expects(1, 50)
