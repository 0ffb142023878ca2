"""An account that very many have asked becomes public within a request's deadline."""

from __future__ import annotations

from services.accounts.update_profile import update_profile
from tests.count_queries import count_queries
from tests.services.graph.facts import counts, execute, make_private, query
from tests.world import World

WAITING = 3_000


async def test_statements_do_not_grow_with_the_requests(world: World) -> None:
    await world.add("ada")
    await make_private(world, "ada")
    await execute(
        world,
        """
        WITH made AS (
          INSERT INTO users (external_id, username) SELECT 'w' || n, 'w' || n FROM generate_series(1, :waiting) n RETURNING id
        )
        INSERT INTO follow_requests (follower_id, followee_id) SELECT id, :ada FROM made
        """,
        waiting=WAITING,
        ada=world.ids["ada"],
    )
    with count_queries(world.backends) as counted:
        after = await update_profile(world.backends, user_id=world.ids["ada"], display_name=None, bio=None, is_private=False)
    assert counted.count < 10, counted.statements
    assert after.follower_count == WAITING
    assert await counts(world, "ada") == (WAITING, 0)
    waiting = "SELECT count(*) FROM users WHERE username LIKE 'w%' AND following_count = 1 AND graph_version = 1"
    assert await query(world, waiting) == [(WAITING,)]
    assert await query(world, "SELECT count(*) FROM follow_requests") == [(0,)]
