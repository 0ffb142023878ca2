from __future__ import annotations

from cache import keys
from domain.timeline_version import TimelineVersion
from tests.oracle import expected_feed
from tests.world import World, ids, newest_first


async def test_an_own_post_is_there_at_once_with_all_workers_stopped(world: World) -> None:
    await world.add("ada")
    post = await world.post("ada")
    page = await world.page("ada")
    assert ids(page) == [post]
    assert page.status.complete


async def test_a_followed_post_is_there_before_and_after_fan_out(world: World) -> None:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    await world.warm("bob")
    await world.drain()
    post = await world.post("ada")
    assert ids(await world.page("bob")) == [post]
    assert await world.drain() == 1
    assert ids(await world.page("bob")) == [post]
    inspection = await world.backends.timelines.inspect(world.ids["bob"])
    assert inspection.ids == [post]


async def test_warm_cold_and_sql_give_the_same_pages_beyond_the_cap(world: World) -> None:
    cap = world.backends.timelines.cap = 20
    await world.add("ada", "bob", "cat")
    await world.follow("bob", "ada", "cat")
    posts = [await world.post(name) for _ in range(40) for name in ("ada", "cat", "bob")]
    expected = newest_first(posts)
    assert expected == await expected_feed(world.backends, world.ids["bob"])
    for size in (1, 7, 20, 50):
        assert await world.walk("bob", size) == expected
    await world.drain()
    for size in (1, 7, 20, 50):
        assert await world.walk("bob", size) == expected
    inspection = await world.backends.timelines.inspect(world.ids["bob"])
    assert len(inspection.ids) >= cap
    assert not inspection.is_whole
    await world.backends.timelines.forget([world.ids["bob"]])
    assert await world.walk("bob", 9) == expected


async def test_paging_backwards_meets_what_is_newer(world: World) -> None:
    world.backends.timelines.cap = 20
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    old = [await world.post("ada") for _ in range(60)]
    await world.drain()
    page = await world.page("bob", 5)
    assert ids(page) == newest_first(old)[:5]
    new = [await world.post("ada") for _ in range(7)]
    newer = await world.page("bob", 3, page.page_info.start_cursor, backward=True)
    assert ids(newer) == newest_first(new[:3])
    assert newer.page_info.has_previous_page
    rest = await world.page("bob", 10, newer.page_info.start_cursor, backward=True)
    assert ids(rest) == newest_first(new[3:])
    assert not rest.page_info.has_previous_page
    oldest = await world.page("bob", 4, None, backward=True)
    assert ids(oldest) == newest_first(old)[-4:]


async def test_the_marker_names_the_server_run_and_the_database(world: World) -> None:
    await world.add("ada")
    await world.warm("ada")
    inspection = await world.backends.timelines.inspect(world.ids["ada"])
    assert inspection.marker is not None
    state, run, database, version, end = inspection.marker.split(":")
    assert (state, version, end) == ("r", "0", "w")
    assert len(run) == 12
    identity, oid = database.split(".")
    assert len(identity) == 8
    assert oid.isdigit()


async def test_the_longest_marker_keeps_the_compact_encoding(world: World) -> None:
    await world.add("ada")
    longest = TimelineVersion(f"01234567.{2**32 - 1}", 10**18 - 1)
    claim = await world.backends.timelines.begin_building(world.ids["ada"], version=longest)
    assert claim is not None
    assert len(claim.mark) == 64
    assert await world.backends.redis.redis.object("ENCODING", keys.timeline(world.ids["ada"])) == b"listpack"
