from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.demo.generate_world import generate_world
from services.importing.progress import Progress
from tests.import_database import contents, copy_database, drop_database, query, wrong_counts

_NOW_MS = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()) * 1_000


async def test_a_world_is_believable(database_url: str) -> None:
    said: list[Progress] = []
    world = await generate_world(
        database_url, users=400, posts=3_000, seed=7, celebrity_threshold=200, progress=said.append, now_ms=_NOW_MS
    )
    assert (world.users, world.posts) == (400, 3_000)
    assert said
    assert await wrong_counts(database_url) == []

    [people] = await query(
        database_url,
        """
        SELECT max(follower_count) AS highest, percentile_cont(0.5) WITHIN GROUP (ORDER BY follower_count) AS median,
          count(*) FILTER (WHERE is_verified) AS verified, count(*) FILTER (WHERE is_private) AS private,
          count(*) FILTER (WHERE follower_count = 0 AND username <> 'demo') AS unknown
        FROM users
        """,
    )
    assert people["highest"] > 8 * people["median"] > 0
    assert people["verified"] > 3
    assert people["private"] > 3
    [demo] = await query(database_url, "SELECT external_id, display_name, following_count FROM users WHERE username = 'demo'")
    assert tuple(demo) == ("demo", "Demo User", 60)

    [posts] = await query(
        database_url,
        """
        SELECT count(*) FILTER (WHERE visibility = 'PUBLIC') AS public, count(DISTINCT visibility) AS visibilities,
          count(*) FILTER (WHERE delivery = 'PULL') AS pulled, max(created_at) AS newest, min(created_at) AS oldest,
          count(*) FILTER (WHERE extract(hour FROM created_at AT TIME ZONE 'UTC') BETWEEN 1 AND 4) AS at_night,
          count(*) FILTER (WHERE extract(hour FROM created_at AT TIME ZONE 'UTC') BETWEEN 18 AND 21) AS in_the_evening,
          count(*) FILTER (WHERE entities @> '[{"k": "MENTION"}]') AS mentions,
          count(*) FILTER (WHERE entities @> '[{"k": "HASHTAG"}]') AS hashtags,
          count(*) FILTER (WHERE entities @> '[{"k": "LINK"}]') AS links
        FROM posts
        """,
    )
    assert posts["visibilities"] == 3
    assert 2_500 < posts["public"] < 3_000
    assert posts["pulled"] > 0
    assert posts["newest"] <= datetime.fromtimestamp(_NOW_MS / 1_000, UTC)
    assert (posts["newest"] - posts["oldest"]).days >= 6
    assert posts["in_the_evening"] > 4 * posts["at_night"]
    assert min(posts["mentions"], posts["hashtags"], posts["links"]) > 100
    [rich] = await query(
        database_url,
        """
        SELECT count(*) FROM posts WHERE author_id IN (
          SELECT followee_id FROM follows JOIN users ON users.id = follower_id WHERE username = 'demo'
        )
        """,
    )
    assert rich[0] > 300


async def test_the_same_seed_makes_the_same_world_and_another_seed_another(template_url: str, database_url: str) -> None:
    other = await copy_database(template_url)
    try:
        for url in (database_url, other):
            await generate_world(url, users=50, posts=200, seed=1, celebrity_threshold=20, now_ms=_NOW_MS)
        made = await contents(database_url)
        assert made == await contents(other)
        again = await generate_world(other, users=50, posts=200, seed=1, celebrity_threshold=20, now_ms=_NOW_MS)
        assert (again.users, again.follows, again.posts) == (0, 0, 0)
        assert await contents(other) == made
        second = await generate_world(other, users=50, posts=200, seed=2, celebrity_threshold=20, now_ms=_NOW_MS)
        assert second.posts == 200
        assert await wrong_counts(other) == []
    finally:
        await drop_database(other)


@pytest.mark.parametrize(("users", "posts"), [(2, 0), (3, 5)])
async def test_the_smallest_worlds(database_url: str, users: int, posts: int) -> None:
    world = await generate_world(database_url, users=users, posts=posts, seed=1, celebrity_threshold=20)
    assert (world.users, world.posts) == (users, posts)
    assert await wrong_counts(database_url) == []


async def test_a_world_needs_people() -> None:
    with pytest.raises(ValueError, match="at least 2 users"):
        await generate_world("postgresql://127.0.0.1:1/none", users=1, posts=1, seed=1, celebrity_threshold=20)
