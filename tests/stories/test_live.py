"""Old page + events = fresh page: whatever is cut, late, slow, or killed, each post comes once."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app.stack.servers import EmbeddedServers
from domain.errors import FeedResetError, InvalidCursorError
from domain.event_log import LogPlace, LogPosition
from services.feeds.feed_cursors import Moment, open_moment, seal_moment
from services.live.watch_feed import JUDGED_SECONDS, watch_home_feed
from services.posts.delete_post import delete_post
from tests.live_hub import running_hub
from tests.stories.live_watching import Client, SlowTarget, held_post
from tests.world import World, ids


@pytest.fixture
async def ada_and_bob(world: World) -> World:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    return world


@pytest.mark.parametrize("seed", range(4))
async def test_old_page_and_events_are_the_fresh_page(world: World, seed: int) -> None:
    """Traps 14 and 15: pushed, pulled and own authors; posts before, while and after joining; cuts at random places."""
    chance = random.Random(seed)
    world.backends = replace(world.backends, policy=replace(world.backends.policy, celebrity_threshold=3))
    authors = ["small", "star", "me", "stranger"]
    await world.add(*authors, "fan", "other")
    await world.follow("me", "small", "star")
    await world.follow("fan", "star", "me")
    await world.follow("other", "star", "small")
    for author in authors:
        await world.post(author)
    await world.drain()
    pages = {viewer: await world.page(viewer, 100) for viewer in ("me", "fan", "other")}
    async with running_hub(world.backends) as feed, AsyncExitStack() as held:
        clients = [Client(world, feed, viewer, page.event_cursor) for viewer, page in pages.items()]
        for _ in range(25):
            action = chance.randrange(8)
            if action <= 2:
                await asyncio.gather(*(world.post(chance.choice(authors)) for _ in range(chance.randrange(1, 4))))
            elif action == 3:
                await held.enter_async_context(held_post(world, chance.choice(["small", "star"])))
                if chance.randrange(2):
                    await held.aclose()
            elif action == 4:
                await world.drain()
            elif action == 5:
                client = chance.choice(clients)
                await client.cut()
                client.connect(stop_after=chance.choice([1, 2, 3, None]))
            await asyncio.sleep(0.01 * chance.randrange(3))
        await held.aclose()
        for client in clients:
            await client.cut()
            client.connect()
        await world.drain()
        for client in clients:
            old = ids(pages[client.viewer])
            fresh = ids(await world.page(client.viewer, 100))
            await client.has(set(fresh) - set(old))
            await client.cut()
            assert sorted(client.ids) == sorted(set(fresh) - set(old)), f"{client.viewer}: {client.ids}"


async def test_a_late_commit_with_a_lower_id_is_told_live_when_resuming_and_on_the_page(ada_and_bob: World) -> None:
    world = ada_and_bob
    page = await world.page("bob")
    async with running_hub(world.backends) as feed:
        live = Client(world, feed, "bob", page.event_cursor)
        live.connect()
        async with held_post(world, "ada") as late:
            others = {await world.post("ada") for _ in range(3)}
            await world.drain()
            await live.has(others)
            middle = await world.page("bob")
            assert late not in ids(middle)
        await world.drain()
        await live.has({late})
        assert sorted(live.ids) == sorted({late, *others})
        await live.cut()
        for cursor in (live.events[0].cursor, live.events[1].cursor, middle.event_cursor):
            again = Client(world, feed, "bob", cursor)
            again.connect()
            await again.has({late})
            await again.cut()
            assert len(set(again.ids)) == len(again.ids)
        assert ids(await world.page("bob")) == sorted({late, *others}, reverse=True)


async def test_a_cursor_in_the_middle_of_a_batch_resumed_in_the_middle_tells_nothing_twice(ada_and_bob: World) -> None:
    world = ada_and_bob
    page = await world.page("bob")
    async with running_hub(world.backends) as feed:
        client = Client(world, feed, "bob", page.event_cursor)
        async with held_post(world, "ada") as late:
            posts = [await world.post("ada") for _ in range(5)]
            client.connect(stop_after=3)
            await world.drain()
            await client.has(set(posts[:3]))
        await world.drain()
        for number in range(4, 7):
            await client.cut()
            client.connect(stop_after=1)
            async with asyncio.timeout(10):
                while len(client.ids) < number:
                    await asyncio.sleep(0.01)
        await client.cut()
        assert sorted(client.ids) == sorted([*posts, late])


async def test_who_takes_nothing_for_a_while_misses_nothing(ada_and_bob: World) -> None:
    world = ada_and_bob
    page = await world.page("bob")
    async with running_hub(world.backends) as hub:
        target = SlowTarget()
        watcher = hub.join(world.ids["bob"], target, open_moment(world.backends.sealer, world.ids["bob"], page.event_cursor))
        posts = []
        for number in range(12):
            posts.append(await world.post("ada"))
            target.has_room = number % 4 != 1
            await world.drain()
            await asyncio.sleep(0.05)
            if number % 4 == 3:
                hub.go_on(watcher)
        target.has_room = True
        hub.go_on(watcher)
        async with asyncio.timeout(10):
            while len(target.ids) < len(posts):
                await asyncio.sleep(0.01)
        assert target.ids == posts
        hub.leave(watcher)


async def test_what_waited_for_a_slow_reader_is_judged_again(ada_and_bob: World) -> None:
    """Trap 22 and the one second of live events: a body deleted meanwhile is not sent."""
    world = ada_and_bob
    page = await world.page("bob")
    async with running_hub(world.backends) as feed:
        stream = watch_home_feed(world.backends, feed, viewer_id=world.ids["bob"], after=page.event_cursor)
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.1)
        first = await world.post("ada")
        await world.drain()
        assert (await waiting).edge.node.id == first
        secret = await world.post("ada", "secret")
        await world.drain()
        await asyncio.sleep(0.1)
        await delete_post(world.backends, author_id=world.ids["ada"], post_id=secret)
        await asyncio.sleep(JUDGED_SECONDS + 0.1)
        last = await world.post("ada")
        await world.drain()
        assert (await anext(stream)).edge.node.id == last
        await stream.aclose()


async def test_an_unfollowed_or_hidden_author_is_not_told_live(ada_and_bob: World) -> None:
    """Trap 3 on the live way, and suspension of the viewer."""
    world = ada_and_bob
    page = await world.page("bob")
    await world.add("eve")
    async with running_hub(world.backends) as feed:
        client = Client(world, feed, "bob", page.event_cursor)
        client.connect()
        await asyncio.sleep(0.05)
        await world.unfollow("bob", "ada")
        await world.post("ada")
        await world.follow("bob", "eve")
        marker = await world.post("eve")
        await world.drain()
        await client.has({marker})
        async with world.backends.database.writing() as session:
            await session.execute(text("UPDATE users SET suspended_at = now() WHERE id = :id"), {"id": world.ids["bob"]})
        await world.post("eve")
        await world.drain()
        await asyncio.sleep(0.3)
        await client.cut()
        client.connect()
        await asyncio.sleep(0.2)
        await client.cut()
        assert client.ids == [marker]


async def test_killed_doorbells_and_a_stopped_redis_cost_time_and_no_event(
    ada_and_bob: World, servers: EmbeddedServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = ada_and_bob
    monkeypatch.setattr("live.listener.TIMER_SECONDS", 0.5)
    page = await world.page("bob")
    async with running_hub(world.backends) as feed:
        client = Client(world, feed, "bob", page.event_cursor)
        client.connect()
        posts = []
        for _ in range(3):
            await world.backends.redis.redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # type: ignore[no-untyped-call]
            posts.append(await world.post("ada"))
            await asyncio.sleep(0.1)
        await client.has(set(posts))
        await world.backends.redis.redis.execute_command("CLIENT", "PAUSE", "1500", "ALL")  # type: ignore[no-untyped-call]
        posts.append(await world.post("ada"))
        await client.has(set(posts))
        await client.cut()
        assert sorted(client.ids) == posts


async def test_a_cursor_that_is_too_old_or_not_ours_says_so(ada_and_bob: World) -> None:
    world = ada_and_bob
    backends, bob = world.backends, world.ids["bob"]
    page = await world.page("bob")
    moment = open_moment(backends.sealer, bob, page.event_cursor)

    async def resume(cursor: str) -> None:
        async with running_hub(world.backends) as feed:
            stream = watch_home_feed(backends, feed, viewer_id=bob, after=cursor)
            async with asyncio.timeout(3):
                await anext(stream)

    old = Moment(moment.seen, datetime.now(UTC) - timedelta(days=3))
    with pytest.raises(FeedResetError):
        await resume(seal_moment(backends.sealer, bob, old))
    with pytest.raises(FeedResetError):
        await resume(seal_moment(backends.sealer, bob, Moment("900000000:900000000:", moment.as_of)))
    with pytest.raises(InvalidCursorError):
        await resume((await world.page("ada")).event_cursor)
    await world.post("ada")
    with pytest.raises(InvalidCursorError):
        await resume(ids_cursor := (await world.page("bob")).edges[0].cursor)
    assert ids_cursor


async def test_an_event_cursor_made_among_many_writers_opens(world: World) -> None:
    running = ",".join(str(4_000_000_000 + 2 * number) for number in range(200))
    moment = Moment(
        f"4000000000:4000000400:{running}",
        datetime.now(UTC).replace(microsecond=0),
        told=frozenset(range(5_000_000, 5_000_048)),
        logs=LogPlace("0123456789ab", LogPosition(1_700_000_000_000, 3), LogPosition(0, 0)),
    )
    assert open_moment(world.backends.sealer, 1, seal_moment(world.backends.sealer, 1, moment)) == moment
