"""Suspended, shadow-banned and restored accounts, removed posts."""

from __future__ import annotations

from domain.moderation import ModerationChange
from services.accounts.find_people import find_user
from services.moderation.moderate_account import moderate_account
from services.moderation.remove_post import remove_post
from services.posts.load_visible_posts import load_visible_posts
from tests.services.graph.facts import query
from tests.world import World


async def change(world: World, name: str, what: ModerationChange) -> bool:
    return await moderate_account(world.backends, username=name, change=what)


async def is_seen_by(world: World, viewer: str, post_id: int) -> bool:
    """By the viewer: the post, and its author Ada."""
    viewer_id = world.ids[viewer]
    post = await load_visible_posts(world.backends, [post_id], viewer_id=viewer_id)
    user = await find_user(world.backends, "ada", viewer_id=viewer_id)
    assert bool(post) == (user is not None)
    return bool(post)


async def test_each_change_is_in_force_at_the_next_read(world: World) -> None:
    await world.add("ada", "bob")
    post = await world.post("ada")
    for what, by_ada, by_bob in (
        (ModerationChange.SHADOW_BAN, True, False),
        (ModerationChange.SUSPEND, False, False),
        (ModerationChange.RESTORE, True, True),
        (ModerationChange.SUSPEND, False, False),
        (ModerationChange.RESTORE, True, True),
    ):
        for _ in range(2):
            assert await change(world, "ADA", what)
            assert await is_seen_by(world, "ada", post) is by_ada
            assert await is_seen_by(world, "bob", post) is by_bob


async def test_unknown_names_are_none(world: World) -> None:
    for name in ("nobody", "", "\0", "é", "a" * 5_000):
        assert not await change(world, name, ModerationChange.SUSPEND)


async def test_a_removed_post_is_gone_like_a_deleted_one(world: World) -> None:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    post, other = await world.post("ada"), await world.post("ada")
    assert await remove_post(world.backends, post_id=post)
    assert await world.walk("bob") == [other]
    assert await query(world, "SELECT kind FROM outbox WHERE post_id = :post ORDER BY id", post=post) == [
        ("post_published",),
        ("post_deleted",),
    ]
    assert await query(world, "SELECT post_count FROM users WHERE id = :ada", ada=world.ids["ada"]) == [(1,)]
    for number in (post, 0, 5, -1, 2**63 - 1, 2**63):
        assert not await remove_post(world.backends, post_id=number)
