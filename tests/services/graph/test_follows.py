"""Following, settings of a follow, kept history, requests, removed followers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import RefusalCode
from services.accounts.update_profile import update_profile
from services.graph.answer_follow_request import answer_follow_request
from services.graph.follow_user import follow_user
from services.graph.remove_follower import remove_follower
from services.graph.unfollow_user import unfollow_user
from services.graph.update_follow import MAX_DAILY_LIMIT, update_follow
from tests.services.graph.facts import (
    counts,
    kept_until,
    make_private,
    query,
    refusal,
    relation,
    restore,
    suspend,
    versions,
)
from tests.world import World

NOT_FOUND = (RefusalCode.NOT_FOUND, ("userId",))


async def unfollow(world: World, follower: str, followee: str, *, keep_history: bool = True) -> None:
    await unfollow_user(
        world.backends, follower_id=world.ids[follower], followee_id=world.ids[followee], keep_history=keep_history
    )


async def set_follow(world: World, follower: str, followee: str, **changes: Any) -> None:
    settings = {"close_friend": None, "hide_shares": None, "daily_limit": None} | changes
    await update_follow(world.backends, follower_id=world.ids[follower], followee_id=world.ids[followee], **settings)


async def open_to(world: World, name: str) -> None:
    await update_profile(world.backends, user_id=world.ids[name], display_name=None, bio=None, is_private=False)


async def answer(world: World, owner: str, requester: str, *, accept: bool = True) -> None:
    await answer_follow_request(world.backends, viewer_id=world.ids[owner], requester_id=world.ids[requester], accept=accept)


# ---------------------------------------------------------------- kept history


async def test_kept_history_ends_between_what_is_there_and_what_comes(world: World) -> None:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    before = await world.post("ada")
    viewer, author = await versions(world, "bob"), await versions(world, "ada")
    await unfollow(world, "bob", "ada")
    until = await kept_until(world, "bob", "ada")
    assert until is not None
    assert until & ((1 << 22) - 1) == (1 << 22) - 1
    (now,) = await query(world, "SELECT next_id(0)")
    assert before <= until
    assert until >> 22 <= now[0] >> 22
    assert (await versions(world, "bob")).graph == viewer.graph + 1
    assert (await versions(world, "ada")).audience == author.audience + 1
    assert await counts(world, "ada") == (0, 0)
    assert (await relation(world, "bob", "ada")).kept_until == until
    assert not (await relation(world, "bob", "ada")).follows


async def test_keeping_history_again_or_without_a_follow_changes_nothing(world: World) -> None:
    await world.add("ada", "bob")
    await unfollow(world, "bob", "ada")
    assert await kept_until(world, "bob", "ada") is None
    await world.follow("bob", "ada")
    await unfollow(world, "bob", "ada")
    until, viewer, author = await kept_until(world, "bob", "ada"), await versions(world, "bob"), await versions(world, "ada")
    await unfollow(world, "bob", "ada")
    assert await kept_until(world, "bob", "ada") == until
    assert (await versions(world, "bob"), await versions(world, "ada")) == (viewer, author)


async def test_unfollowing_without_history_forgets_what_was_kept(world: World) -> None:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    await unfollow(world, "bob", "ada")
    viewer, author = await versions(world, "bob"), await versions(world, "ada")
    await unfollow(world, "bob", "ada", keep_history=False)
    assert await kept_until(world, "bob", "ada") is None
    assert (await versions(world, "bob")).graph == viewer.graph + 1
    assert (await versions(world, "ada")).audience == author.audience + 1
    assert (await versions(world, "ada")).graph == author.graph
    await unfollow(world, "bob", "ada", keep_history=False)
    assert (await versions(world, "bob")).graph == viewer.graph + 1


@pytest.mark.parametrize("way", ["follow", "accepted", "became public"])
async def test_following_again_ends_kept_history(world: World, way: str) -> None:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    await unfollow(world, "bob", "ada")
    if way != "follow":
        await make_private(world, "ada")
    await world.follow("bob", "ada")
    if way == "accepted":
        assert await kept_until(world, "bob", "ada") is not None
        await answer(world, "ada", "bob")
    elif way == "became public":
        await open_to(world, "ada")
    assert await kept_until(world, "bob", "ada") is None
    found = await relation(world, "bob", "ada")
    assert (found.follows, found.kept_until, found.has_requested) == (True, None, False)
    assert await counts(world, "ada") == (1, 0)
    assert await counts(world, "bob") == (0, 1)


async def test_unfollowing_takes_a_request_back_and_lets_kept_history_be(world: World) -> None:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    await unfollow(world, "bob", "ada")
    until = await kept_until(world, "bob", "ada")
    await make_private(world, "ada")
    await world.follow("bob", "ada")
    await unfollow(world, "bob", "ada")
    assert not (await relation(world, "bob", "ada")).has_requested
    assert await kept_until(world, "bob", "ada") == until


async def test_a_suspended_account_can_be_unfollowed_where_there_is_something(world: World) -> None:
    await world.add("ada", "bob", "cat")
    await world.follow("bob", "ada")
    await suspend(world, "ada")
    assert await refusal(unfollow(world, "cat", "ada")) == NOT_FOUND
    await unfollow(world, "bob", "ada")
    assert await kept_until(world, "bob", "ada") is not None
    await unfollow(world, "bob", "ada", keep_history=False)
    assert await refusal(unfollow(world, "bob", "ada", keep_history=False)) == NOT_FOUND


# ---------------------------------------------------------------- settings


async def test_settings_stay_unless_given_and_die_with_the_follow(world: World) -> None:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    await set_follow(world, "bob", "ada", close_friend=True, daily_limit=5)
    await set_follow(world, "bob", "ada", hide_shares=True)
    found = await relation(world, "bob", "ada")
    assert (found.close_friend, found.hide_shares, found.daily_limit) == (True, True, 5)
    await set_follow(world, "bob", "ada", daily_limit=0, close_friend=False)
    found = await relation(world, "bob", "ada")
    assert (found.close_friend, found.hide_shares, found.daily_limit) == (False, True, None)
    await world.follow("bob", "ada")
    assert (await relation(world, "bob", "ada")).hide_shares
    await unfollow(world, "bob", "ada")
    await world.follow("bob", "ada")
    found = await relation(world, "bob", "ada")
    assert (found.close_friend, found.hide_shares, found.daily_limit) == (False, False, None)


async def test_daily_limits_out_of_range(world: World) -> None:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    for limit in (-1, MAX_DAILY_LIMIT + 1, -(2**31), 2**31 - 1):
        refused = await refusal(set_follow(world, "bob", "ada", daily_limit=limit, close_friend=True))
        assert refused == (RefusalCode.INVALID, ("dailyLimit",))
    assert not (await relation(world, "bob", "ada")).close_friend
    await set_follow(world, "bob", "ada", daily_limit=MAX_DAILY_LIMIT)
    assert (await relation(world, "bob", "ada")).daily_limit == MAX_DAILY_LIMIT


async def test_only_a_follow_has_settings(world: World) -> None:
    await world.add("ada", "bob")
    assert await refusal(set_follow(world, "bob", "ada", daily_limit=-1)) == NOT_FOUND
    await make_private(world, "ada")
    await world.follow("bob", "ada")
    assert await refusal(set_follow(world, "bob", "ada", close_friend=True)) == NOT_FOUND
    assert await refusal(set_follow(world, "bob", "bob")) == (RefusalCode.SELF_REFERENCE, ("userId",))


# ---------------------------------------------------------------- requests, limits, removed followers


def limited(world: World, limit: int) -> World:
    world.backends = replace(world.backends, policy=replace(world.backends.policy, follow_limit=limit))
    return world


async def test_the_limit_counts_when_a_request_is_accepted(world: World) -> None:
    await world.add("ada", "bob", "cat", "dan")
    await make_private(world, "ada")
    limited(world, 1)
    await world.follow("bob", "ada")
    await world.follow("bob", "cat")
    assert await refusal(answer(world, "ada", "bob")) == (RefusalCode.LIMIT_REACHED, ("userId",))
    assert (await relation(world, "bob", "ada")).has_requested
    work = follow_user(world.backends, follower_id=world.ids["bob"], followee_id=world.ids["dan"])
    assert await refusal(work) == (RefusalCode.LIMIT_REACHED, ("userId",))
    await world.unfollow("bob", "cat")
    await answer(world, "ada", "bob")
    assert (await relation(world, "bob", "ada")).follows


async def test_becoming_public_accepts_whoever_may_still_follow(world: World) -> None:
    await world.add("ada", "bob", "cat", "dan")
    await make_private(world, "ada")
    limited(world, 1)
    for name in ("bob", "cat"):
        await world.follow(name, "ada")
    await world.follow("cat", "dan")
    before = await versions(world, "cat")
    await open_to(world, "ada")
    assert (await relation(world, "bob", "ada")).follows
    found = await relation(world, "cat", "ada")
    assert (found.follows, found.has_requested) == (False, False)
    assert await versions(world, "cat") == before
    assert (await versions(world, "ada")).audience == 1
    assert (await versions(world, "bob")).graph == 1
    assert await counts(world, "ada") == (1, 0)


async def test_requests_of_hidden_accounts_do_not_exist(world: World) -> None:
    await world.add("ada", "bob")
    await make_private(world, "ada")
    await world.follow("bob", "ada")
    await suspend(world, "bob")
    for accept in (True, False):
        assert await refusal(answer(world, "ada", "bob", accept=accept)) == NOT_FOUND
    await restore(world, "bob")
    await answer(world, "ada", "bob", accept=False)
    assert await refusal(answer(world, "ada", "bob")) == NOT_FOUND


async def test_a_removed_follower_follows_no_longer(world: World) -> None:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    await world.follow("ada", "bob")
    follower, author = await versions(world, "bob"), await versions(world, "ada")
    for _ in range(2):
        await remove_follower(world.backends, viewer_id=world.ids["ada"], follower_id=world.ids["bob"])
        assert not (await relation(world, "bob", "ada")).follows
        assert (await relation(world, "ada", "bob")).follows
        assert (await versions(world, "bob")).graph == follower.graph + 1
        assert (await versions(world, "ada")).audience == author.audience + 1
    assert await kept_until(world, "bob", "ada") is None


async def test_a_suspended_follower_can_be_removed(world: World) -> None:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    await suspend(world, "bob")
    await remove_follower(world.backends, viewer_id=world.ids["ada"], follower_id=world.ids["bob"])
    work = remove_follower(world.backends, viewer_id=world.ids["ada"], follower_id=world.ids["bob"])
    assert await refusal(work) == NOT_FOUND
