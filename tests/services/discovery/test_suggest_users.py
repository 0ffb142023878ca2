"""Suggestions against the plain question: whom do most of those whom I follow follow?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from services.discovery.suggest_users import refresh_popular_accounts, suggest_users
from services.graph.block_user import block_user
from services.graph.follow_user import follow_user
from services.graph.mute_user import mute_user
from tests.services.graph.facts import execute, make_private, query, suspend
from tests.world import World

ORACLE = """
    SELECT u.username FROM follows mine
    JOIN users friend ON friend.id = mine.followee_id
    JOIN follows theirs ON theirs.follower_id = friend.id
    JOIN users u ON u.id = theirs.followee_id
    WHERE mine.follower_id = :viewer AND u.id <> :viewer
      AND friend.suspended_at IS NULL AND friend.shadow_banned_at IS NULL
      AND u.suspended_at IS NULL AND u.shadow_banned_at IS NULL
      AND u.id NOT IN (SELECT followee_id FROM follows WHERE follower_id = :viewer)
      AND u.id NOT IN (SELECT followee_id FROM follow_requests WHERE follower_id = :viewer)
      AND u.id NOT IN (SELECT blocked_id FROM blocks WHERE blocker_id = :viewer)
      AND u.id NOT IN (SELECT blocker_id FROM blocks WHERE blocked_id = :viewer)
      AND u.id NOT IN (SELECT muted_id FROM mutes WHERE muter_id = :viewer)
    GROUP BY u.id ORDER BY count(*) DESC, u.follower_count DESC, u.id DESC
"""


async def suggested(world: World, viewer: str, size: int = 100) -> list[str]:
    return [user.username for user in await suggest_users(world.backends, viewer_id=world.ids[viewer], size=size)]


async def insert(world: World, table: str, columns: str, pairs: Iterable[Sequence[str]]) -> None:
    ones, others = zip(*((world.ids[one], world.ids[other]) for one, other in pairs), strict=True)
    await execute(
        world,
        f"INSERT INTO {table} ({columns}) SELECT * FROM unnest(CAST(:ones AS bigint[]), CAST(:others AS bigint[]))"
        " ON CONFLICT DO NOTHING",
        ones=list(ones),
        others=list(others),
    )


async def test_a_random_world_equals_the_oracle(world: World) -> None:
    random = Random(7)
    names = [f"user{number}" for number in range(24)]
    await world.add(*names)
    pairs = [(one, other) for one in names for other in names if one != other and random.random() < 0.18]
    await insert(world, "follows", "follower_id, followee_id", pairs)
    await insert(world, "blocks", "blocker_id, blocked_id", [random.sample(names, 2) for _ in range(20)])
    await insert(world, "mutes", "muter_id, muted_id", [random.sample(names, 2) for _ in range(40)])
    await insert(world, "follow_requests", "follower_id, followee_id", [random.sample(names, 2) for _ in range(20)])
    await suspend(world, "user4")
    await suspend(world, "user5")
    await execute(world, "UPDATE users SET shadow_banned_at = now() WHERE id = :user", user=world.ids["user6"])
    await execute(world, "UPDATE users SET follower_count = id % 3")
    listed = 0
    for name in names[7:]:
        oracle = [row[0] for row in await query(world, ORACLE, viewer=world.ids[name])]
        if await query(world, "SELECT 1 FROM follows WHERE follower_id = :viewer", viewer=world.ids[name]):
            assert await suggested(world, name) == oracle
            assert await suggested(world, name, 2) == oracle[:2]
            listed += len(oracle)
    assert listed > 100


async def test_newcomers_get_popular_accounts(world: World) -> None:
    await world.add("new", "big", "small", "asked", "blocker", "muted", "gone")
    assert set(await suggested(world, "new")) == {"big", "small", "asked", "blocker", "muted", "gone"}
    for name, count in {"big": 9, "small": 2, "asked": 20, "blocker": 30, "muted": 40, "gone": 50}.items():
        await execute(world, "UPDATE users SET follower_count = :n WHERE id = :user", n=count, user=world.ids[name])
    for again in range(2):
        assert (await suggested(world, "new"))[:5] == ["gone", "muted", "blocker", "asked", "big"]
        if not again:
            await refresh_popular_accounts(world.backends)
    await make_private(world, "asked")
    await follow_user(world.backends, follower_id=world.ids["new"], followee_id=world.ids["asked"])
    await block_user(world.backends, viewer_id=world.ids["blocker"], user_id=world.ids["new"])
    await mute_user(world.backends, viewer_id=world.ids["new"], user_id=world.ids["muted"], until=None)
    await suspend(world, "gone")
    assert await suggested(world, "new") == ["big", "small"]
    assert await suggested(world, "new", 1) == ["big"]
    await refresh_popular_accounts(world.backends)
    rows = await query(world, "SELECT user_id FROM popular_accounts ORDER BY follower_count DESC")
    assert [row[0] for row in rows] == [world.ids[name] for name in ("muted", "blocker", "asked", "big", "small")]
