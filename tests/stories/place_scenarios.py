"""The reader's place as small scenes: several devices, what was seen, what is unseen."""

from __future__ import annotations

import asyncio

from services.feeds.feed_position import mark_feed_seen, read_feed_position
from services.preferences.update_preferences import update_preferences
from tests.stories.trap_scenarios import CAP, ada_and_bob
from tests.world import World, ids, newest_first


async def the_furthest_mark_wins(world: World) -> None:
    """Trap 25: marks from several devices at once end at the furthest one, without an error for anybody."""
    await ada_and_bob(world)
    for _ in range(8):
        await world.post("ada")
    await world.drain()
    bob = world.ids["bob"]
    edges = (await world.page("bob", 50)).edges
    for turn in (edges[6:8] + edges[4:6], [edges[2], edges[5], edges[3]], [edges[7]]):
        await asyncio.gather(*(mark_feed_seen(world.backends, viewer_id=bob, cursor=edge.cursor) for edge in turn))
        told = await read_feed_position(world.backends, viewer_id=bob)
        assert told.unseen_count == (4 if edges[4] in turn else 2), "the entries above the furthest mark"
    await mark_feed_seen(world.backends, viewer_id=bob, cursor=edges[0].cursor)
    await mark_feed_seen(world.backends, viewer_id=bob, cursor=edges[1].cursor)
    assert (await read_feed_position(world.backends, viewer_id=bob)).unseen_count == 0


async def seen_ones_are_left_out_as_the_walk_began(world: World) -> None:
    """hideSeen: what is marked on the way does not shorten the walk; the next one leaves it out."""
    await ada_and_bob(world)
    bob = world.ids["bob"]
    posts = [await world.post("ada") for _ in range(2 * CAP)]
    await world.drain()
    await update_preferences(
        world.backends, viewer_id=bob, default_order=None, muted_words=None, hide_shares=None, hide_seen=True
    )
    found: list[int] = []
    cursor = None
    for _ in range(CAP):
        page = await world.page("bob", 2, cursor)
        assert page.edges, "what was marked on the way is left out"
        found += ids(page)
        cursor = page.page_info.end_cursor
        await mark_feed_seen(world.backends, viewer_id=bob, cursor=page.edges[0].cursor)
    assert found == newest_first(posts)
    assert await world.walk("bob") == []
    new = await world.post("ada")
    assert await world.walk("bob") == [new]


SCENES = [the_furthest_mark_wins, seen_ones_are_left_out_as_the_walk_began]
