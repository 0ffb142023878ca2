"""What is remembered of posts and authors is believed where it is true at this moment, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from db.post_versions import Changes, KnownPost, load_changed_posts
from services.engagement.flush_counters import flush_counters
from services.engagement.like_post import like_post, unlike_post
from services.memory import known_posts
from services.posts.delete_post import delete_post
from tests.world import World


async def known(world: World, post_id: int) -> KnownPost:
    assert world.backends.memory is not None
    found = (await world.backends.memory.posts.find([post_id]))[post_id]
    assert found is not None
    return found


@pytest.fixture
async def post_id(world: World) -> int:
    await world.add("ada", "bob")
    return await world.post("ada", "first words")


async def execute(world: World, statement: str) -> None:
    async with world.backends.database.writing() as session:
        await session.execute(text(statement))


async def test_what_has_not_changed_is_the_same_object(world: World, post_id: int) -> None:
    first = await known(world, post_id)
    second = await known(world, post_id)
    assert second.post is first.post
    assert second.author is first.author


async def test_every_change_of_a_row_is_seen_at_once_by_whichever_way(world: World, post_id: int) -> None:
    first = await known(world, post_id)
    await execute(world, "UPDATE posts SET text = 'other words'")
    second = await known(world, post_id)
    assert second.post.text == "other words"
    assert second.author is first.author, "nothing of the author has changed"
    await execute(world, "UPDATE users SET display_name = 'Ada L.'")
    third = await known(world, post_id)
    assert third.author.display_name == "Ada L."
    assert third.post == second.post
    await delete_post(world.backends, author_id=world.ids["ada"], post_id=post_id)
    assert (await known(world, post_id)).post.is_deleted
    await execute(world, f"DELETE FROM posts WHERE id = {post_id}")
    assert world.backends.memory is not None
    assert (await world.backends.memory.posts.find([post_id]))[post_id] is None


async def test_a_post_has_the_author_at_hand_with_whom_it_was_confirmed(world: World, post_id: int) -> None:
    first = await known(world, post_id)
    assert first.post.known_author is first.author
    assert (await known(world, post_id)).post is first.post
    await execute(world, "UPDATE users SET display_name = 'Ada L.'")
    second = await known(world, post_id)
    assert second.post.known_author is second.author
    assert second.author.display_name == "Ada L."
    assert first.post.known_author is first.author, "somebody may be writing an answer with it"
    assert (await known(world, post_id)).post is second.post
    await execute(world, "UPDATE posts SET text = 'other words'")
    third = await known(world, post_id)
    assert third.post.known_author is third.author is second.author


async def test_counts_are_exact_before_and_after_they_reach_the_row(world: World, post_id: int) -> None:
    bob = world.ids["bob"]
    assert (await known(world, post_id)).post.like_count == 0
    await like_post(world.backends, viewer_id=bob, post_id=post_id)
    assert (await known(world, post_id)).post.like_count == 1
    await flush_counters(world.backends)
    assert (await known(world, post_id)).post.like_count == 1
    await unlike_post(world.backends, viewer_id=bob, post_id=post_id)
    await like_post(world.backends, viewer_id=bob, post_id=post_id)
    await unlike_post(world.backends, viewer_id=bob, post_id=post_id)
    assert (await known(world, post_id)).post.like_count == 0
    await flush_counters(world.backends)
    assert (await known(world, post_id)).post.like_count == 0


async def test_an_author_found_changed_with_one_post_is_so_with_all(world: World, post_id: int) -> None:
    other_id = await world.post("ada", "more words")
    assert world.backends.memory is not None
    posts = world.backends.memory.posts
    await posts.find([post_id, other_id])
    await execute(world, "UPDATE users SET is_verified = true")
    assert (await known(world, post_id)).author.is_verified
    both = await posts.find([post_id, other_id])
    authors = [one.author for one in both.values() if one is not None]
    assert authors[0] is authors[1]
    assert authors[0].is_verified


async def test_versions_of_another_run_of_the_server_say_nothing(
    world: World, post_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failover a row may bear the very number that a lost one had."""
    first = await known(world, post_id)
    load = load_changed_posts

    async def of_another_run(*arguments: Any, **named: Any) -> Changes:
        changes = await load(*arguments, **named)
        return replace(changes, run=changes.run + timedelta(seconds=1))

    monkeypatch.setattr(known_posts, "load_changed_posts", of_another_run)
    again = await known(world, post_id)
    assert again.post is not first.post
    assert again.post == first.post
    assert (await known(world, post_id)).post is again.post


async def test_no_more_is_remembered_than_may_be(world: World) -> None:
    await world.add("ada")
    posts = known_posts.KnownPosts(world.backends.database, size=10)
    ids = [await world.post("ada", f"number {number}") for number in range(30)]
    found = await posts.find(ids)
    assert [found[one].post.text for one in ids] == [f"number {number}" for number in range(30)]  # type: ignore[union-attr]
    assert len(posts._posts) <= 10
    await posts.close()
