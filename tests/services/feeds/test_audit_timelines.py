"""Every way to spoil a timeline, found by its name and repaired; and nothing said of timelines that are right."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import text

from cache import keys
from cache.timeline_audit import TimelineReader
from domain.records import Visibility
from domain.timeline_differences import TimelineDifference, TimelineFault
from domain.timeline_version import TimelineVersion
from services.feeds.audit_accounts import audit_everybody
from services.feeds.audit_timelines import TimelineState, audit_timeline, audit_timelines
from services.feeds.rebuild_many_timelines import rebuild_many_timelines
from services.posts.delete_post import delete_post
from services.posts.edit_post import edit_post
from tests.oracle import expected_feed
from tests.timeline_corruptions import CORRUPTIONS, Corruption, Victim, member, score
from tests.world import World

CAP = 20


async def _spoilable(world: World, *, is_cut: bool) -> Victim:
    """`bob` follows `ada` and `cat`, not `dan`."""
    world.backends.timelines.cap = CAP
    await world.add("ada", "bob", "cat", "dan")
    await world.follow("bob", "ada", "cat")
    older = [await world.post(name) for _ in range(3) for name in ("ada", "cat")] if is_cut else []
    # As many as fit without trimming, so that the cut is where the cap is.
    newer = [await world.post(name) for _ in range(CAP // 2) for name in ("ada", "cat")]
    stranger_id = await world.post("dan")
    newer.append(await world.post("ada"))
    if not is_cut:
        await delete_post(world.backends, author_id=world.ids["ada"], post_id=newer[0])
    await world.drain()
    await rebuild_many_timelines(world.backends, [world.ids["bob"]])
    [stored] = await TimelineReader(world.backends.redis).read([world.ids["bob"]])
    assert len(stored.ids) == CAP
    assert stored.marker is not None
    assert stored.marker.is_whole is not is_cut
    return Victim(stored, stranger_id, older[0] if is_cut else None, [*stored.ids[3:], stranger_id])


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda corruption: corruption.name)
@pytest.mark.parametrize("is_cut", [True, False], ids=["cut", "whole"])
async def test_each_corruption_is_found_by_its_name_and_repaired(world: World, corruption: Corruption, is_cut: bool) -> None:
    victim = await _spoilable(world, is_cut=is_cut)
    viewer_id = world.ids["bob"]
    assert (await audit_timeline(world.backends, viewer_id)).is_right
    if not await corruption.spoil(world.backends.redis.redis, victim, random.Random(1)):
        assert corruption.name in {"below the slice", "falsely whole"}
        assert not is_cut
        return
    audit = await audit_timeline(world.backends, viewer_id)
    said = {found.fault for found in audit.differences}
    assert said & corruption.words, said
    if corruption.name != "stale marker":
        assert len(said) == 1, said
    report = await audit_everybody(world.backends, repair=True)
    assert report.accounts == 4
    assert report.wrong == [audit]
    assert report.still_wrong == []
    assert (await audit_timeline(world.backends, viewer_id)).state is TimelineState.WARM
    assert await world.walk("bob", 7) == await expected_feed(world.backends, viewer_id)


async def test_the_ids_are_named(world: World) -> None:
    victim = await _spoilable(world, is_cut=True)
    redis, ids = world.backends.redis.redis, victim.stored.ids
    assert victim.older_id is not None
    await redis.zrem(victim.key, member(ids[2]), member(ids[5]))
    await redis.zadd(
        victim.key,
        {
            member(victim.stranger_id): score(victim.stranger_id),
            "0" + member(ids[1]): score(ids[1]),
            member(ids[3]): score(ids[3]) - 7,
            member(victim.older_id): score(victim.older_id),
            "what?": -1,
        },
    )
    audit = await audit_timeline(world.backends, world.ids["bob"])
    assert set(audit.differences) == {
        TimelineDifference(TimelineFault.MISSING, (ids[2], ids[5])),
        TimelineDifference(TimelineFault.FOREIGN, (victim.stranger_id,)),
        TimelineDifference(TimelineFault.BELOW_SLICE, (victim.older_id,)),
        TimelineDifference(TimelineFault.TWICE, (ids[1],)),
        TimelineDifference(TimelineFault.OUT_OF_ORDER, (ids[3],)),
        TimelineDifference(TimelineFault.NO_ID, elements=("what?",)),
    }
    assert audit.missing == [ids[2], ids[5]]


@pytest.mark.parametrize("part", range(3), ids=["run", "database", "graph"])
async def test_what_nobody_believes_is_not_wrong(world: World, part: int) -> None:
    victim = await _spoilable(world, is_cut=False)
    _, *version, end = victim.marker.split(":")
    version[part] += "1"
    await world.backends.redis.redis.zrem(victim.key, victim.marker, *map(member, victim.stored.ids[:3]))
    await world.backends.redis.redis.zadd(victim.key, {f"r:{':'.join(version)}:{end}": "-inf"})
    audit = await audit_timeline(world.backends, world.ids["bob"])
    assert audit.state is TimelineState.COLD
    assert audit.is_right


async def test_the_absent_the_unknown_and_those_being_built(world: World) -> None:
    await world.add("ada", "bob")
    await world.backends.timelines.begin_building(world.ids["bob"], version=await world.timeline_version("bob"))
    unknown = 12345
    await world.backends.redis.redis.set(keys.timeline(unknown), "x")
    audits = await audit_timelines(world.backends, [world.ids["ada"], unknown, world.ids["bob"]])
    assert [audit.state for audit in audits] == [TimelineState.ABSENT, TimelineState.COLD, TimelineState.BUILDING]
    assert all(audit.is_right for audit in audits)
    await world.backends.redis.redis.delete(keys.timeline(unknown))


async def test_open_hidden_deleted_and_pulled_posts_are_no_differences(world: World) -> None:
    await world.add("ada", "bob", "cat")
    await world.follow("bob", "ada", "cat")
    hidden, deleted, kept = [await world.post("ada") for _ in range(3)]
    await world.drain()
    await world.warm("bob")
    await edit_post(world.backends, author_id=world.ids["ada"], post_id=hidden, body=None, visibility=Visibility.PRIVATE)
    await world.drain()
    await delete_post(world.backends, author_id=world.ids["ada"], post_id=deleted)
    await world.post("cat")
    [stored] = await TimelineReader(world.backends.redis).read([world.ids["bob"]])
    assert {deleted, kept} <= set(stored.ids)
    audit = await audit_timeline(world.backends, world.ids["bob"])
    assert audit.is_warm
    assert audit.is_right
    # Shown again, and still open: may be there or not.
    await edit_post(world.backends, author_id=world.ids["ada"], post_id=hidden, body=None, visibility=Visibility.PUBLIC)
    assert (await audit_timeline(world.backends, world.ids["bob"])).is_right
    await world.drain()
    assert (await audit_timeline(world.backends, world.ids["bob"])).is_right


async def test_the_version_is_that_of_a_reader(world: World) -> None:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    await rebuild_many_timelines(world.backends, [world.ids["bob"]])
    [stored] = await TimelineReader(world.backends.redis).read([world.ids["bob"]])
    assert stored.marker is not None
    version: TimelineVersion = await world.timeline_version("bob")
    assert stored.marker.version == version
    assert world.backends.timelines.is_current(stored.marker.text, version)


async def test_kept_history_counts_up_to_its_last_id(world: World) -> None:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    posts = [await world.post("ada") for _ in range(4)]
    await world.drain()
    await world.unfollow("bob", "ada")
    async with world.backends.database.writing() as session:
        await session.execute(
            text("INSERT INTO kept_follows (viewer_id, author_id, until_id) VALUES (:viewer, :author, :until)"),
            {"viewer": world.ids["bob"], "author": world.ids["ada"], "until": posts[2]},
        )
    viewer_id = world.ids["bob"]
    await rebuild_many_timelines(world.backends, [viewer_id])
    audit = await audit_timeline(world.backends, viewer_id)
    assert (audit.entries, audit.is_warm, audit.is_right) == (3, True, True)
    redis = world.backends.redis.redis
    await redis.zadd(keys.timeline(viewer_id), {member(posts[3]): score(posts[3])})
    await redis.zrem(keys.timeline(viewer_id), member(posts[1]))
    assert set((await audit_timeline(world.backends, viewer_id)).differences) == {
        TimelineDifference(TimelineFault.FOREIGN, (posts[3],)),
        TimelineDifference(TimelineFault.MISSING, (posts[1],)),
    }
