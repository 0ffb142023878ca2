"""Blocks and mutes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import RefusalCode
from domain.paging import PageRequest
from services.graph.block_user import block_user
from services.graph.follow_user import follow_user
from services.graph.list_people import list_blocked_users, list_followers, list_muted_users
from services.graph.mute_user import mute_user
from services.graph.remove_follower import remove_follower
from services.graph.unblock_user import unblock_user
from services.graph.unfollow_user import unfollow_user
from services.graph.unmute_user import unmute_user
from services.graph.update_follow import update_follow
from tests.services.graph.facts import (
    counts,
    execute,
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
SELF = (RefusalCode.SELF_REFERENCE, ("userId",))


async def block(world: World, viewer: str, other: str) -> None:
    await block_user(world.backends, viewer_id=world.ids[viewer], user_id=world.ids[other])


async def unblock(world: World, viewer: str, other: str) -> None:
    await unblock_user(world.backends, viewer_id=world.ids[viewer], user_id=world.ids[other])


async def mute(world: World, viewer: str, other: str, until: datetime | None = None) -> None:
    await mute_user(world.backends, viewer_id=world.ids[viewer], user_id=world.ids[other], until=until)


async def unmute(world: World, viewer: str, other: str) -> None:
    await unmute_user(world.backends, viewer_id=world.ids[viewer], user_id=world.ids[other])


def soon() -> datetime:
    return datetime.now(UTC).replace(microsecond=5_000) + timedelta(hours=1)


# ---------------------------------------------------------------- blocks


async def test_a_block_ends_follows_both_ways_and_says_so_to_every_cache(world: World) -> None:
    await world.add("ada", "bob")
    await world.follow("ada", "bob")
    await world.follow("bob", "ada")
    await block(world, "ada", "bob")
    for one, other in (("ada", "bob"), ("bob", "ada")):
        found = await relation(world, one, other)
        assert not any((found.follows, found.is_followed_by, found.has_requested))
        assert await counts(world, one) == (0, 0)
        moved = await versions(world, one)
        assert (moved.graph, moved.audience) == (2, 2)
    assert (await relation(world, "ada", "bob")).is_blocking
    assert (await relation(world, "bob", "ada")).is_blocked_by
    await block(world, "ada", "bob")
    assert (await versions(world, "bob")).graph == 2


@pytest.mark.parametrize(("blocker", "blocked"), [("ada", "bob"), ("bob", "ada")])
async def test_a_block_ends_kept_history_and_requests_from_either_side(world: World, blocker: str, blocked: str) -> None:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    await unfollow_user(world.backends, follower_id=world.ids["bob"], followee_id=world.ids["ada"], keep_history=True)
    await make_private(world, "ada")
    await world.follow("bob", "ada")
    viewer, author = await versions(world, "bob"), await versions(world, "ada")
    await block(world, blocker, blocked)
    assert await kept_until(world, "bob", "ada") is None
    assert await query(world, "SELECT 1 FROM follow_requests") == []
    assert (await versions(world, "bob")).graph == viewer.graph + 1
    assert (await versions(world, "ada")).audience == author.audience + 1


async def test_unblocking_restores_nothing(world: World) -> None:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    await block(world, "ada", "bob")
    for _ in range(2):
        await unblock(world, "ada", "bob")
        found = await relation(world, "bob", "ada")
        assert not any((found.follows, found.is_blocked_by))
    await world.follow("bob", "ada")
    assert (await relation(world, "bob", "ada")).follows


async def test_for_whom_is_blocked_nobody_is_there(world: World) -> None:
    await world.add("ada", "bob")
    await block(world, "ada", "bob")
    ada, bob = world.ids["ada"], world.ids["bob"]
    works = [
        follow_user(world.backends, follower_id=bob, followee_id=ada),
        unfollow_user(world.backends, follower_id=bob, followee_id=ada),
        unfollow_user(world.backends, follower_id=bob, followee_id=ada, keep_history=True),
        update_follow(world.backends, follower_id=bob, followee_id=ada, close_friend=True, hide_shares=None, daily_limit=-1),
        remove_follower(world.backends, viewer_id=bob, follower_id=ada),
        block_user(world.backends, viewer_id=bob, user_id=ada),
        unblock_user(world.backends, viewer_id=bob, user_id=ada),
        mute_user(world.backends, viewer_id=bob, user_id=ada, until=datetime(2000, 1, 1, tzinfo=UTC)),
        unmute_user(world.backends, viewer_id=bob, user_id=ada),
    ]
    assert [await refusal(work) for work in works] == [NOT_FOUND] * len(works)
    # The blocker still sees the account, but cannot follow it.
    assert await refusal(follow_user(world.backends, follower_id=ada, followee_id=bob)) == NOT_FOUND
    await mute(world, "ada", "bob")


async def test_nobody_does_any_of_it_to_themselves(world: World) -> None:
    await world.add("ada")
    for work in (block, unblock, mute, unmute):
        assert await refusal(work(world, "ada", "ada")) == SELF


async def test_a_suspended_account_can_be_unblocked_and_unmuted_where_there_is_something(world: World) -> None:
    await world.add("ada", "bob", "cat")
    await block(world, "ada", "bob")
    await mute(world, "ada", "bob")
    await suspend(world, "bob")
    for work in (block, mute):
        assert await refusal(work(world, "ada", "bob")) == NOT_FOUND
    for work in (unblock, unmute):
        assert await refusal(work(world, "cat", "bob")) == NOT_FOUND
        await work(world, "ada", "bob")
        assert await refusal(work(world, "ada", "bob")) == NOT_FOUND
    await restore(world, "bob")
    found = await relation(world, "ada", "bob")
    assert not any((found.is_blocking, found.is_muting))


async def test_blocks_and_follows_at_the_same_time_leave_no_follow(world: World) -> None:
    await world.add("ada", "bob")
    for _ in range(10):
        await asyncio.gather(
            block(world, "ada", "bob"),
            follow_user(world.backends, follower_id=world.ids["bob"], followee_id=world.ids["ada"]),
            follow_user(world.backends, follower_id=world.ids["ada"], followee_id=world.ids["bob"]),
            return_exceptions=True,
        )
        assert await query(world, "SELECT 1 FROM follows") == []
        assert await counts(world, "ada") == await counts(world, "bob") == (0, 0)
        await unblock(world, "ada", "bob")


async def test_two_who_block_each_other_at_the_same_time(world: World) -> None:
    await world.add("ada", "bob")
    done = await asyncio.gather(block(world, "ada", "bob"), block(world, "bob", "ada"), return_exceptions=True)
    assert [type(result).__name__ for result in done].count("RefusedError") == 1
    assert len(await query(world, "SELECT 1 FROM blocks")) == 1


# ---------------------------------------------------------------- mutes


async def test_muting_again_sets_the_end_anew(world: World) -> None:
    await world.add("ada", "bob")
    end = soon()
    await mute(world, "ada", "bob", end)
    found = await relation(world, "ada", "bob")
    assert (found.is_muting, found.muted_until) == (True, end)
    await mute(world, "ada", "bob")
    assert (await relation(world, "ada", "bob")).muted_until is None
    await mute(world, "ada", "bob", end)
    assert (await relation(world, "ada", "bob")).muted_until == end
    for _ in range(2):
        await unmute(world, "ada", "bob")
        assert not (await relation(world, "ada", "bob")).is_muting
    assert not (await relation(world, "bob", "ada")).is_muting


@pytest.mark.parametrize("until", [datetime(1, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)])
async def test_a_mute_cannot_have_ended_already(world: World, until: datetime) -> None:
    await world.add("ada", "bob")
    assert await refusal(mute(world, "ada", "bob", until)) == (RefusalCode.INVALID, ("until",))
    assert not (await relation(world, "ada", "bob")).is_muting


async def test_a_mute_may_last_till_the_end_of_time(world: World) -> None:
    await world.add("ada", "bob")
    end = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    await mute(world, "ada", "bob", end)
    assert (await relation(world, "ada", "bob")).muted_until == end.replace(microsecond=999_000)


async def test_an_ended_mute_is_none_and_begins_anew(world: World) -> None:
    await world.add("ada", "bob", "cat")
    await mute(world, "ada", "bob", soon())
    await mute(world, "ada", "cat")
    await execute(
        world, "UPDATE mutes SET until = clock_timestamp() - interval '1 ms' WHERE muted_id = :id", id=world.ids["bob"]
    )
    assert not (await relation(world, "ada", "bob")).is_muting
    assert await names(world, "muted") == ["cat"]
    await mute(world, "ada", "bob")
    assert await names(world, "muted") == ["bob", "cat"]


# ---------------------------------------------------------------- lists


async def names(world: World, which: str, size: int = 20) -> list[str]:
    """Ada's whole list, page by page."""
    found: list[str] = []
    cursor: str | None = None
    lister = list_blocked_users if which == "blocked" else list_muted_users
    while True:
        page = await lister(world.backends, viewer_id=world.ids["ada"], page=PageRequest(size, cursor))
        found += [user.username for user in page.nodes]
        cursor = page.page_info.end_cursor
        if not page.page_info.has_next_page:
            return found


@pytest.mark.parametrize("size", [1, 2, 20])
async def test_lists_are_newest_first_and_leave_out_who_is_hidden(world: World, size: int) -> None:
    await world.add("ada", "bob", "cat", "dan", "eve")
    for name in ("cat", "bob", "eve", "dan"):
        await block(world, "ada", name)
    assert await names(world, "blocked", size) == ["dan", "eve", "bob", "cat"]
    await suspend(world, "eve")
    await unblock(world, "ada", "cat")
    assert await names(world, "blocked", size) == ["dan", "bob"]
    for name in ("bob", "cat"):
        await mute(world, "ada", name)
    assert await names(world, "muted", size) == ["cat"]


async def test_blocked_accounts_stand_in_no_other_list(world: World) -> None:
    await world.add("ada", "bob", "cat")
    for name in ("ada", "bob"):
        await world.follow(name, "cat")
    await block(world, "ada", "bob")
    page = PageRequest(20, None)
    for viewer, seen in (("ada", ["ada"]), ("bob", ["bob"]), ("cat", ["bob", "ada"])):
        found = await list_followers(world.backends, user_id=world.ids["cat"], viewer_id=world.ids[viewer], page=page)
        assert [user.username for user in found.nodes] == seen
