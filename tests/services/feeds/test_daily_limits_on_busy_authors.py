"""A daily limit on somebody who posts all day long: a request's work stays bounded, and places in a day are counted right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import text

from db import feed_facts
from db.feed_facts import load_day_ranks
from domain.ids import DAY_MS, make_id, milliseconds_of
from services.fill_page import MAX_EXAMINED
from services.graph.update_follow import update_follow
from tests.services.graph.facts import execute
from tests.world import World

BUSY = 6_000
"""Posts of one day. Counting anew for each of 2,000 candidates would read ten million rows."""


async def _post_all_day(world: World, author: str, *, day: int, count: int) -> list[int]:
    """That many posts, each second millisecond of the day, settled as pushed; their ids, oldest first."""
    made = [make_id(milliseconds=day * DAY_MS + 2 * number, sequence=0, shard=0) for number in range(count)]
    await execute(
        world,
        "INSERT INTO posts (id, author_id, text, visibility, delivery, created_at)"
        " SELECT id, :author, 'again', 'PUBLIC', 'PUSH', now() FROM unnest(CAST(:ids AS bigint[])) id",
        author=world.ids[author],
        ids=made,
    )
    return made


def _rows_read(plan: dict[str, Any]) -> Iterator[float]:
    """What each scan of a plan has read, all its loops together."""
    if "Index Name" in plan or plan["Node Type"] == "Seq Scan":
        yield (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    for part in plan.get("Plans", []):
        yield from _rows_read(part)


async def test_a_page_walks_a_day_once(world: World) -> None:
    await world.add("bot", "bob")
    await world.follow("bob", "bot")
    today = milliseconds_of(await world.post("bob")) // DAY_MS
    posts = await _post_all_day(world, "bot", day=today - 1, count=BUSY)
    await update_follow(
        world.backends,
        follower_id=world.ids["bob"],
        followee_id=world.ids["bot"],
        close_friend=None,
        hide_shares=None,
        daily_limit=1,
    )
    page = await world.page("bob")
    assert (len(page.edges), page.page_info.has_next_page, page.status.complete) == (1, True, True)
    async with world.backends.database.reading() as session:
        statement = text(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {feed_facts._DAY_RANKS.text}")
        [found] = (await session.execute(statement, {"ids": posts[-MAX_EXAMINED:]})).scalar_one()
    # The day once, and the candidates, for which the planner may read the table as a whole.
    assert sum(_rows_read(found["Plan"])) < 3 * BUSY


async def test_places_are_counted_by_author_and_day(world: World) -> None:
    await world.add("ada")
    today = milliseconds_of(await world.post("ada")) // DAY_MS
    older = await _post_all_day(world, "ada", day=today - 3, count=5)
    newer = await _post_all_day(world, "ada", day=today - 2, count=4)
    async with world.backends.database.reading() as session:
        ranks = await load_day_ranks(session, [newer[3], older[0], older[4], newer[1], 1])
        none = await load_day_ranks(session, [])
    assert ranks == {older[0]: 0, older[4]: 4, newer[1]: 1, newer[3]: 3}
    assert none == {}
