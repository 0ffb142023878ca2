"""Scenes of the two caches beside the timelines: receivers in the worker's memory, and the lists of pulled authors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from cache import keys
from db import posts as posts_module
from db.pulled_posts import load_newest_pulled_ids
from domain.ids import make_id, milliseconds_of
from domain.records import Visibility
from services.fan_out import audiences as audiences_module
from services.feeds import pulled_candidates as pulled_module
from services.posts.delete_post import delete_post
from services.posts.edit_post import edit_post
from tests.stories.trap_scenarios import CAP, ada_and_bob, backwards, held, same_by_every_way
from tests.world import World, ids, newest_first


async def followed_between_two_posts(world: World) -> None:
    """Receivers in the worker's memory: who begins to follow is served by the next post, whoever was loaded when."""
    await ada_and_bob(world)
    await world.add("cat", "dan")
    await world.follow("cat", "ada")
    await world.warm("cat")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audiences_module, "WORTH_FROM", 0)
        for _ in range(2):
            await world.post("ada")
            await world.drain()
        assert world.backends.audiences.ids_held == 2
        await world.follow("dan", "ada")
        await world.unfollow("cat", "ada")
        for name in ("bob", "cat", "dan"):
            await world.warm(name)
        last = await world.post("ada")
        await world.drain()
    assert last in await held(world, "dan")
    assert await same_by_every_way(world, "dan") == await same_by_every_way(world, "bob")
    assert await world.walk("cat") == []


async def followed_while_it_is_decided(world: World) -> None:
    """Who follows, and reads, after the worker took the post up and before it was decided: not in the version read at first."""
    await ada_and_bob(world)
    await world.add("cat")
    decide = posts_module.decide_delivery

    async def follow_then_decide(*arguments: Any, **named: Any) -> bool:
        await world.follow("cat", "ada")
        await world.warm("cat")
        return await decide(*arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audiences_module, "WORTH_FROM", 0)
        for _ in range(2):
            await world.post("ada")
            await world.drain()
        patch.setattr(posts_module, "decide_delivery", follow_then_decide)
        last = await world.post("ada")
        await world.drain()
    assert last in await held(world, "cat")
    assert last in await same_by_every_way(world, "cat")


async def _ada_is_pulled(world: World) -> None:
    """Bob and Cat follow Ada, whose posts are pulled, and have read their feeds."""
    await ada_and_bob(world)
    await world.add("cat")
    await world.follow("cat", "ada")
    world.backends.pulled_posts.cap = CAP
    world.backends = replace(world.backends, policy=replace(world.backends.policy, celebrity_threshold=2))
    for name in ("bob", "cat"):
        await world.warm(name)


async def listed(world: World, author: str) -> list[int]:
    return (await world.backends.pulled_posts.inspect(world.ids[author])).ids


async def pulled_for_the_first_time(world: World) -> None:
    """Who read when nobody was pulled meets the first pulled post, and all the others behind the list's end."""
    await _ada_is_pulled(world)
    posts = []
    for _ in range(3 * CAP + 4):
        posts.append(await world.post("ada"))
        await world.drain()
        assert ids(await world.page("bob", 3)) == newest_first(posts)[:3]
    assert await held(world, "bob") == []
    assert CAP <= len(await listed(world, "ada")) < len(posts)
    assert await same_by_every_way(world, "bob", sizes=(1, 2, 7, 50)) == newest_first(posts)
    await backwards(world, "cat")


async def lists_of_the_past(world: World) -> None:
    """Redis comes back with lists and sets of the past: another run, and nobody believes them."""
    await _ada_is_pulled(world)
    redis = world.backends.redis.redis
    posts = [await world.post("ada")]
    await world.drain()
    assert await world.walk("bob") == posts
    saved = {key: await redis.dump(key) for key in (keys.pulled_posts(world.ids["ada"]), keys.pulled_authors(world.ids["bob"]))}
    posts.append(await world.post("ada"))
    await world.drain()
    for key, value in saved.items():
        assert value is not None
        await redis.restore(key, 60_000, value, replace=True)
    world.backends.redis._run.id = "anotherrun12"
    assert await world.walk("bob") == newest_first(posts)


async def listed_while_rebuilding(world: World) -> None:
    """A pulled post that is delivered after the rebuild has read the database reaches the list all the same."""
    await _ada_is_pulled(world)
    await world.post("ada")
    await world.drain()
    await world.warm("bob")
    await world.backends.pulled_posts.forget([world.ids["ada"]])
    post = await world.post("ada")
    load = load_newest_pulled_ids

    async def load_then_deliver(*arguments: Any, **named: Any) -> dict[int, list[int]]:
        rows = await load(*arguments, **named)
        await world.drain()
        return rows

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pulled_module, "load_newest_pulled_ids", load_then_deliver)
        await world.page("bob")
    assert post in await listed(world, "ada")
    assert len(await world.walk("bob")) == 2


async def pulled_posts_hidden_deleted_and_imported(world: World) -> None:
    """Lists hold whatever is not deleted; imports go past the outbox and make the list cold."""
    await _ada_is_pulled(world)
    posts = [await world.post("ada") for _ in range(3)]
    await world.drain()
    assert await world.walk("bob") == newest_first(posts)
    change = {"author_id": world.ids["ada"], "post_id": posts[0], "body": None}
    await edit_post(world.backends, visibility=Visibility.PRIVATE, **change)  # type: ignore[arg-type]
    await world.drain()
    assert await same_by_every_way(world, "bob") == newest_first(posts[1:])
    await edit_post(world.backends, visibility=Visibility.PUBLIC, **change)  # type: ignore[arg-type]
    await world.drain()
    assert await same_by_every_way(world, "bob") == newest_first(posts)
    await delete_post(world.backends, author_id=world.ids["ada"], post_id=posts.pop())
    assert await world.walk("bob") == newest_first(posts)
    await world.drain()
    assert await listed(world, "ada") == newest_first(posts)
    imported = make_id(milliseconds=milliseconds_of(posts[1]) + 1, sequence=7, shard=7)
    async with world.backends.database.writing() as session:
        await session.execute(
            text("INSERT INTO posts (id, author_id, text, created_at, delivery) VALUES (:id, :author, 'x', now(), 'PULL')"),
            {"id": imported, "author": world.ids["ada"]},
        )
        await session.execute(
            text("UPDATE users SET import_version = import_version + 1 WHERE id = :author"), {"author": world.ids["ada"]}
        )
        await session.execute(text("UPDATE users SET graph_version = graph_version + 1"))
    assert await same_by_every_way(world, "bob") == newest_first([*posts, imported])


SCENES = [
    followed_between_two_posts,
    followed_while_it_is_decided,
    pulled_for_the_first_time,
    lists_of_the_past,
    listed_while_rebuilding,
    pulled_posts_hidden_deleted_and_imported,
]
