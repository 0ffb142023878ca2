"""A post that is published by one statement leaves exactly what one that is published in steps leaves."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from domain.records import LocationRecord, PostRecord, Visibility
from services.posts import publish_post as module
from services.posts.load_visible_posts import load_visible_posts
from services.posts.publish_post import publish_post
from tests.world import World

PLACE = LocationRecord("Bern", 46.948, 7.4474)
_LEFT = """
    SELECT jsonb_build_array('post', author_id, text, entities, visibility, location_name, latitude, longitude,
      to_timestamp((id >> 22) / 1000.0) = created_at, id & 1023 = author_id & 1023) FROM posts
    UNION ALL SELECT jsonb_build_array('author', id, post_count) FROM users
    UNION ALL SELECT jsonb_build_array('hashtag', name, post_count,
      (SELECT count(*) FROM post_hashtags l WHERE l.hashtag_id = h.id)) FROM hashtags h
    UNION ALL SELECT jsonb_build_array('promise', author_id, kind, before, attempts, closed_at,
      post_id = (SELECT max(id) FROM posts)) FROM outbox
    UNION ALL SELECT jsonb_build_array('activity', actor_id, kind, subject_id = (SELECT max(id) FROM posts)) FROM activities
    UNION ALL SELECT jsonb_build_array('found', body, words) FROM searchable_posts
"""


async def left(world: World) -> list[Any]:
    async with world.backends.database.reading() as session:
        return sorted((await session.execute(text(_LEFT))).scalars(), key=str)


async def publish(world: World, body: str, visibility: Visibility, location: LocationRecord | None = None) -> PostRecord:
    return await publish_post(world.backends, author_id=world.ids["ada"], body=body, visibility=visibility, location=location)


@pytest.mark.parametrize("visibility", list(Visibility))
@pytest.mark.parametrize(
    "body", ["plain words", "#known and @bob and #KNOWN https://a.example/x", "#known #new", "it's 100 % :x"]
)
async def test_it_leaves_what_steps_leave(
    world: World, monkeypatch: pytest.MonkeyPatch, visibility: Visibility, body: str
) -> None:
    await world.add("ada", "bob")
    await publish(world, "#known", Visibility.PUBLIC)
    post = await publish(world, body, visibility, PLACE)
    loaded = await load_visible_posts(world.backends, {post.id}, viewer_id=world.ids["ada"])
    assert post == loaded[post.id].post
    at_once = await left(world)
    async with world.backends.database.writing() as session:
        await session.execute(text("DELETE FROM posts"))
        for table in ("outbox", "activities", "hashtags", "searchable_posts"):
            await session.execute(text(f"DELETE FROM {table}"))
        await session.execute(text("UPDATE users SET post_count = 0"))

    async def in_steps(*_: Any, **__: Any) -> None:
        return None

    monkeypatch.setattr(module, "_publish_at_once", in_steps)
    await publish(world, "#known", Visibility.PUBLIC)
    again = await publish(world, body, visibility, PLACE)
    assert await left(world) == at_once
    assert replace(again, id=post.id, created_at=post.created_at) == post


async def test_many_at_once_with_the_same_hashtags_lose_no_count(world: World) -> None:
    await world.add("ada")
    bodies = [f"#a{number % 3} #b{number % 5} #same" for number in range(60)]
    await asyncio.gather(*(publish(world, body, Visibility.PUBLIC) for body in bodies))
    async with world.backends.database.reading() as session:
        counts = dict(tuple(row) for row in await session.execute(text("SELECT name, post_count FROM hashtags")))
        posts = (await session.execute(text("SELECT post_count FROM users"))).scalar_one()
    assert counts == {"same": 60, **{f"a{number}": 20 for number in range(3)}, **{f"b{number}": 12 for number in range(5)}}
    assert posts == 60


async def test_nothing_is_left_where_the_author_is_gone(world: World) -> None:
    await world.add("ada")
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await publish_post(world.backends, author_id=1, body="words", visibility=Visibility.PUBLIC, location=None)
    assert [row[0] for row in await left(world)] == ["author"]
