"""Trends: from who uses a hashtag and when, not from how often."""

from __future__ import annotations

import time

from domain.records import Visibility
from services.discovery.trending_hashtags import refresh_trends, trending_hashtags
from services.posts.delete_post import delete_post
from tests.services.graph.facts import execute, make_private, suspend
from tests.world import World

HOUR_MS = 3_600_000


async def trends(world: World, size: int = 10) -> dict[str, int]:
    """Names with their numbers of posts, in order."""
    return {trend.hashtag.name: trend.recent_post_count for trend in await trending_hashtags(world.backends, size=size)}


async def age(world: World, hours: float, tag: str) -> None:
    """All posts with the tag become older."""
    shift = int(hours * HOUR_MS) << 22
    for statement in (
        "UPDATE posts SET id = id - :shift WHERE id IN (SELECT post_id FROM post_hashtags t"
        " JOIN hashtags h ON h.id = t.hashtag_id WHERE h.name = :tag)",
        "UPDATE post_hashtags SET post_id = post_id - :shift WHERE hashtag_id = (SELECT id FROM hashtags WHERE name = :tag)",
    ):
        await execute(world, statement, shift=shift, tag=tag)


async def test_authors_count_and_not_posts(world: World) -> None:
    await world.add("ada", "bob", "cat")
    assert await trends(world) == {}
    for number in range(30):
        await world.post("ada", f"#spam {number}")
    await world.post("bob", "#two")
    await world.post("cat", "#two #one")
    assert await refresh_trends(world.backends)
    assert await trends(world) == {"two": 2, "one": 1, "spam": 30}
    assert list(await trends(world, 1)) == ["two"]
    assert await trends(world, 0) == {}


async def test_uses_fade_and_end(world: World) -> None:
    await world.add("ada", "bob", "cat")
    for author in ("ada", "bob", "cat"):
        await world.post(author, "#yesterday")
        await world.post(author, "#lastweek")
    await age(world, 24, "yesterday")
    await age(world, 49, "lastweek")
    await world.post("ada", "#now")
    await refresh_trends(world.backends)
    assert await trends(world) == {"now": 1, "yesterday": 3}
    await refresh_trends(world.backends, now_ms=time.time_ns() // 1_000_000 + 50 * HOUR_MS)
    assert await trends(world) == {}


async def test_what_is_always_used_is_damped(world: World) -> None:
    await world.add("ada", "bob")
    for _ in range(40):
        await world.post("ada", "#always")
    await age(world, 24 * 4, "always")
    for author in ("ada", "bob"):
        await world.post(author, "#always")
        await world.post(author, "#fresh")
    await refresh_trends(world.backends)
    assert list((await trends(world)).items()) == [("fresh", 2), ("always", 2)]


async def test_only_public_existing_posts_of_good_accounts(world: World) -> None:
    await world.add("ada", "bob", "private", "gone", "shadow")
    await world.post("ada", "#seen")
    for visibility in (Visibility.FRIENDS, Visibility.PRIVATE):
        await world.post("ada", "#seen #hidden", visibility)
    for author in ("private", "gone", "shadow"):
        await world.post(author, "#seen #hidden")
    deleted = await world.post("bob", "#seen #hidden")
    await make_private(world, "private")
    await suspend(world, "gone")
    await execute(world, "UPDATE users SET shadow_banned_at = now() WHERE id = :user", user=world.ids["shadow"])
    await refresh_trends(world.backends)
    assert await trends(world) == {"seen": 2, "hidden": 1}
    await delete_post(world.backends, author_id=world.ids["bob"], post_id=deleted)
    await refresh_trends(world.backends)
    assert await trends(world) == {"seen": 1}


async def test_trends_that_nobody_renews_are_none(world: World) -> None:
    await world.add("ada")
    await world.post("ada", "#seen")
    await refresh_trends(world.backends)
    await execute(world, "UPDATE hashtag_trends SET computed_at = now() - interval '2 hours'")
    assert await trends(world) == {}
