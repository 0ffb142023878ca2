"""Tests of counting what is unseen from memory: the same as the long way, which the walks compare with SQL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from db import unseen_counts
from domain.ids import milliseconds_of
from services.feeds import feed_position
from services.feeds.feed_position import mark_feed_seen, read_feed_position
from services.feeds.quick_candidates import read_candidates
from services.memory.known_viewers import OWN_SIZE
from tests.services.feeds.quick_world import STEPS, QuickWorld, mute
from tests.services.feeds.test_quick_page import SOON
from tests.services.graph.facts import execute
from tests.stories.planting import Patch, change_sql
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


async def _agree_everywhere(quick: QuickWorld, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each was counted from memory: with nothing read, and at the places of a walk. All of it is too much for the
    first number, so PostgreSQL counts."""
    taken = []
    monkeypatch.setattr(feed_position, "_CANDIDATES", (2, 200))
    entries = (await quick.page("vera", 50)).edges
    positions = [0, *sorted(entry.node.id for entry in entries[1::4])]
    for position in positions:
        await execute(
            quick,
            "INSERT INTO feed_positions (user_id, position_id) VALUES (:user, :position)"
            " ON CONFLICT (user_id) DO UPDATE SET position_id = :position",
            user=quick.ids["vera"],
            position=position,
        )
        taken.append((await _counts(quick, "vera", monkeypatch))[1])
    return taken


async def _shared_before_it_was_written(quick: QuickWorld) -> None:
    """As imports may have it: the post repeats its share."""
    post_id = await quick.post("ada", "shared before")
    await quick.insert_post("bob", milliseconds=milliseconds_of(post_id) - 60_000, root_id=post_id)


_STEPS = {name: step for name, step in STEPS.items() if name != "what was seen"} | {
    "shared before it was written": _shared_before_it_was_written
}


@pytest.mark.parametrize("name", _STEPS)
async def test_both_ways_agree_at_once_after_every_change(world: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    quick = await QuickWorld.made(world)
    assert all(await _agree_everywhere(quick, monkeypatch))
    await _STEPS[name](quick)
    await _agree_everywhere(quick, monkeypatch)
    await quick.drain()
    taken = await _agree_everywhere(quick, monkeypatch)
    assert all(taken) or name == "unfollow, keeping history"


async def test_a_mute_that_ends_counts_no_longer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = await QuickWorld.made(world)
    monkeypatch.setattr(feed_position, "_CANDIDATES", (2, 60))
    before = await _counts(quick, "vera", monkeypatch)
    await mute("ada", SOON)(quick)
    assert await _counts(quick, "vera", monkeypatch) == (before[0] - 6, True)
    await asyncio.sleep(SOON.total_seconds())
    assert await _counts(quick, "vera", monkeypatch) == before


async def test_many_own_posts_are_counted_though_no_look_names_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = await QuickWorld.made(world)
    await STEPS["many own posts"](quick)
    monkeypatch.setattr(feed_position, "_CANDIDATES", (10, 100))
    monkeypatch.setattr(feed_position, "MAX_UNSEEN", 50)
    assert await _counts(quick, "vera", monkeypatch) == (50, True), "no further than it counts"
    monkeypatch.setattr(feed_position, "MAX_UNSEEN", 100)
    assert await _counts(quick, "vera", monkeypatch) == (25 + OWN_SIZE + 5, True)


async def test_caches_that_did_not_reach_are_asked_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = await QuickWorld.made(world)
    asked = []

    async def noted(*arguments: object, **options: object) -> list[int] | None:
        found = await read_candidates(*arguments, **options)  # type: ignore[arg-type]
        asked.append(found is not None)
        return found

    monkeypatch.setattr(feed_position, "_CANDIDATES", (2, 200))
    monkeypatch.setattr(feed_position, "read_candidates", noted)
    with monkeypatch.context() as patch:
        patch.setattr(feed_position, "read_candidates", _no_candidates)
        assert await _counts(quick, "vera", monkeypatch) == (25, True)
    for _ in range(feed_position._TIMES_BELIEVED):
        assert await _counts(quick, "vera", monkeypatch) == (25, True)
    assert asked == []
    for _ in range(2):
        assert await _counts(quick, "vera", monkeypatch) == (25, True)
    assert asked == [True, True]
    with monkeypatch.context() as patch:
        patch.setattr(feed_position, "read_candidates", _no_candidates)
        assert await _counts(quick, "vera", monkeypatch) == (25, True)
    entries = (await quick.page("vera", 20)).edges
    await mark_feed_seen(quick.backends, viewer_id=quick.ids["vera"], cursor=entries[11].cursor)
    del asked[:]
    assert await _counts(quick, "vera", monkeypatch) == (11, True)
    assert asked == [True], "of another place nothing is known"


async def _no_candidates(*_: object, **__: object) -> None:
    return None


def _deleted_counted(patch: Patch) -> None:
    change_sql(patch, unseen_counts, "_OF_THESE", "p.deleted_at IS NULL AND NOT p.is", "NOT p.is")


def _shared_counted(patch: Patch) -> None:
    change_sql(patch, unseen_counts, "_OF_THESE", "AND p.share_count = 0", "")


def _any_visibility_counted(patch: Patch) -> None:
    change_sql(patch, unseen_counts, "_OF_THESE", "p.visibility = 'PUBLIC' AND", "")


def _suspended_counted(patch: Patch) -> None:
    change_sql(patch, unseen_counts, "_OF_THESE", "AND u.suspended_at IS NULL", "")


def _shadow_banned_counted(patch: Patch) -> None:
    change_sql(patch, unseen_counts, "_OF_THESE", "AND u.shadow_banned_at IS NULL", "")


def _own_forgotten(patch: Patch) -> None:
    change_sql(patch, unseen_counts, "_OF_THESE", "author_id = :viewer_id AND deleted", "author_id = 0 AND deleted")


def _anybody_counted(patch: Patch) -> None:
    patch.setattr(feed_position, "follows_plainly", lambda _: True)


def _others_forgotten(patch: Patch) -> None:
    change_sql(patch, unseen_counts, "_OF_THESE", "WHERE NOT judged.is_plain", "WHERE false")


def _beyond_the_cache_forgotten(patch: Patch) -> None:
    change_sql(patch, unseen_counts, "_OF_ALL", "feed_sources", "kept_follows")


@pytest.mark.parametrize(
    ("plant", "name"),
    [
        (_deleted_counted, "many own posts deleted"),
        (_shared_counted, "shared before it was written"),
        (_any_visibility_counted, "for nobody now"),
        (_suspended_counted, "suspended"),
        (_shadow_banned_counted, "shadow-banned"),
        (_own_forgotten, "many own posts"),
        (_anybody_counted, "mute"),
        (_anybody_counted, "daily limit"),
        (_others_forgotten, "close friend"),
        (_beyond_the_cache_forgotten, "beyond the cache"),
    ],
)
async def test_the_comparison_finds_what_is_planted(
    world: World, monkeypatch: pytest.MonkeyPatch, plant: Callable[[Patch], None], name: str
) -> None:
    if name == "beyond the cache":
        monkeypatch.setattr(world.backends.timelines, "cap", 5)
    quick = await QuickWorld.made(world)
    plant(monkeypatch)
    if name in _STEPS:
        await _STEPS[name](quick)
        await quick.drain()
    with pytest.raises(AssertionError):
        await _agree_everywhere(quick, monkeypatch)
