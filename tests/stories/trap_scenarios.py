"""The traps of feed servers as small scenes: each ends with an AssertionError where we fell into one.

Tests run them as they are, and once more against planted bugs, which they must find.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from cache import keys
from cache.timelines import Warmth
from db import outbox
from db.feed_candidates import load_pushed_ids
from domain.feed import FeedState
from domain.ids import MAX_ID, make_id, milliseconds_of
from domain.records import Visibility
from services import fill_page as fill_page_module
from services.fan_out import deliver_event as deliver_module
from services.feeds import rebuild_timeline as rebuild_module
from services.posts.delete_post import delete_post
from services.posts.edit_post import edit_post
from tests.oracle import expected_feed
from tests.world import World, ids, newest_first

CAP = 5


async def ada_and_bob(world: World) -> None:
    """Bob follows Ada and has read his feed."""
    world.backends.timelines.cap = CAP
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    await world.warm("bob")


async def held(world: World, viewer: str) -> list[int]:
    return (await world.backends.timelines.inspect(world.ids[viewer])).ids


async def same_by_every_way(world: World, viewer: str, *, sizes: tuple[int, ...] = (1, 3, 50)) -> list[int]:
    """Trap 12: as it is, cold, warm, and without a cache, the walks are the same and the truth."""
    expected = await expected_feed(world.backends, world.ids[viewer])
    for way in ("as it is", "cold", "warm", "without cache"):
        for size in sizes:
            if way == "cold":
                await world.backends.timelines.forget([world.ids[viewer]])
                await world.backends.pulled_posts.forget(list(world.ids.values()))
                await world.backends.pulled_authors.forget(world.ids[viewer])
            if way == "without cache":
                world.backends.redis._closed_until = float("inf")
            found = await world.walk(viewer, size)
            world.backends.redis._closed_until = 0.0
            assert found == expected, f"{way}, pages of {size}: {found} instead of {expected}"
    return expected


async def scroll_beyond_the_cap(world: World) -> None:
    """Trap 1."""
    await ada_and_bob(world)
    posts = []
    for _ in range(3 * CAP + 3):
        posts.append(await world.post("ada"))
        await world.drain()
    assert await same_by_every_way(world, "bob") == newest_first(posts)


async def workers_stop_and_resume(world: World) -> None:
    """Trap 2."""
    await ada_and_bob(world)
    posts = [await world.post("ada")]
    await world.drain()
    posts += [await world.post("ada") for _ in range(3)]
    assert await world.walk("bob", 2) == newest_first(posts)
    await world.drain()
    posts.append(await world.post("ada"))
    await world.drain()
    assert await same_by_every_way(world, "bob") == newest_first(posts)


async def a_sleeping_timeline_stays_asleep(world: World) -> None:
    """Traps 2 and 7: nothing is written where nobody reads, so that a lone entry never passes for a slice."""
    await ada_and_bob(world)
    old = [await world.post("ada") for _ in range(3)]
    await world.drain()
    await world.backends.timelines.forget([world.ids["bob"]])
    old.append(await world.post("ada"))
    await world.drain()
    assert await world.backends.redis.redis.exists(keys.timeline(world.ids["bob"])) == 0
    assert ids(await world.page("bob", 50)) == newest_first(old)


async def unfollowed_while_fan_out_runs(world: World) -> None:
    """Trap 3, in both orders; the worker has read its followers before the unfollow."""
    await ada_and_bob(world)
    post = await world.post("ada")
    await world.unfollow("bob", "ada")
    await world.drain()
    assert await world.walk("bob") == []
    # The timeline is made anew for the new graph, and only then the late worker writes.
    await world.warm("bob")
    await world.backends.timelines.deliver([world.ids["bob"]], post)
    assert await held(world, "bob") == [post]
    assert await world.walk("bob") == []


async def followed_and_unfollowed(world: World) -> None:
    """A follow brings what is older, an unfollow takes all of it, at the very next page."""
    await ada_and_bob(world)
    await world.add("cat")
    theirs = [await world.post("cat") for _ in range(3)]
    ours = [await world.post("ada") for _ in range(2)]
    await world.drain()
    assert await world.walk("bob") == newest_first(ours)
    await world.follow("bob", "cat")
    assert await world.walk("bob") == newest_first(ours + theirs)
    await world.unfollow("bob", "ada")
    assert await world.walk("bob") == newest_first(theirs)


async def back_after_a_dead_builder(world: World) -> None:
    """Trap 7."""
    await ada_and_bob(world)
    posts = [await world.post("ada") for _ in range(3)]
    await world.drain()
    await world.backends.timelines.forget([world.ids["bob"]])
    version = await world.timeline_version("bob")
    assert await world.backends.timelines.begin_building(world.ids["bob"], version=version) is not None
    assert ids(await world.page("bob", 50)) == newest_first(posts)
    key = keys.timeline(world.ids["bob"])
    assert 0 < await world.backends.redis.redis.pttl(key) <= 5_000
    await world.backends.redis.redis.pexpire(key, 1)
    assert await same_by_every_way(world, "bob") == newest_first(posts)


async def empty_is_said_only_when_known(world: World) -> None:
    """Trap 8."""
    await world.add("ada", "bob")
    assert (await world.page("bob")).status.state is FeedState.EMPTY_NO_FOLLOWS
    await world.follow("bob", "ada")
    assert (await world.page("bob")).status.state is FeedState.EMPTY_NO_POSTS
    posts = [await world.post("ada") for _ in range(2)]
    first = await world.page("bob", 1)
    assert first.status.state is FeedState.READY
    last = await world.page("bob", 1, first.page_info.end_cursor)
    assert (ids(last), last.status.state) == ([posts[0]], FeedState.END_OF_FEED)
    none = await world.page("bob", 0)
    assert (ids(none), none.status.state, none.page_info.has_next_page) == ([], FeedState.READY, True)


async def almost_everything_is_filtered(world: World) -> None:
    """Trap 11: pages are full until the end; bounded work shortens a page, but the cursor goes on behind what was examined."""
    await ada_and_bob(world)
    shown = []
    for number in range(60):
        seen = number % 20 == 5
        post = await world.post("ada", visibility=Visibility.PUBLIC if seen else Visibility.FRIENDS)
        if seen:
            shown.append(post)
    await world.drain()
    assert await same_by_every_way(world, "bob", sizes=(1, 2, 50)) == newest_first(shown)
    bound = fill_page_module.MAX_EXAMINED
    fill_page_module.MAX_EXAMINED = 10
    try:
        found, cursor = [], None
        for _ in range(20):
            page = await world.page("bob", 2, cursor)
            found += ids(page)
            cursor = page.page_info.end_cursor
            if not page.page_info.has_next_page:
                break
        assert not page.page_info.has_next_page, "the cursor stands still"
        assert found == newest_first(shown)
    finally:
        fill_page_module.MAX_EXAMINED = bound


async def hidden_and_shown_again(world: World) -> None:
    """Trap 21, with a page limit smaller than the number of promises that one post has."""
    await ada_and_bob(world)
    posts = [await world.post("ada") for _ in range(4)]
    change = {"author_id": world.ids["ada"], "post_id": posts[-1], "body": None}
    for _ in range(3):
        await edit_post(world.backends, visibility=Visibility.PRIVATE, **change)  # type: ignore[arg-type]
        assert await world.walk("bob", 1) == newest_first(posts[:-1])
        await edit_post(world.backends, visibility=Visibility.PUBLIC, **change)  # type: ignore[arg-type]
        assert await world.walk("bob", 1) == newest_first(posts)
    await world.drain()
    await edit_post(world.backends, visibility=Visibility.PRIVATE, **change)  # type: ignore[arg-type]
    await world.drain()
    assert await same_by_every_way(world, "bob") == newest_first(posts[:-1])
    await edit_post(world.backends, visibility=Visibility.PUBLIC, **change)  # type: ignore[arg-type]
    await world.drain()
    assert posts[-1] in await held(world, "bob")
    assert await same_by_every_way(world, "bob") == newest_first(posts)


async def private_posts_stay_at_home(world: World) -> None:
    """Trap 21: what is private is in nobody's timeline."""
    await ada_and_bob(world)
    await world.post("ada", visibility=Visibility.PRIVATE)
    await world.drain()
    assert await held(world, "bob") == []
    assert await world.walk("bob") == []
    assert len(await world.walk("ada")) == 1


async def deleted_at_every_step(world: World) -> None:
    """Trap 22."""
    world.backends = replace(world.backends, policy=replace(world.backends.policy, fanout_batch=1))
    names = ["bob", "cat", "dan"]
    await world.add("ada", *names)
    for name in names:
        await world.follow(name, "ada")
        await world.warm(name)
    before = deliver_module.JOB_SECONDS
    deliver_module.JOB_SECONDS = 0.0
    try:
        for steps in range(5):
            post = await world.post("ada")
            event = await lease(world)
            for _ in range(steps):
                await deliver_module.deliver_event(world.backends, event_id=event.id, attempt=event.attempt)
            await delete_post(world.backends, author_id=world.ids["ada"], post_id=post)
            for name in names:
                assert await world.walk(name) == []
            await world.drain()
            await _one(world, "UPDATE outbox SET next_attempt_at = now() WHERE closed_at IS NULL RETURNING 1", missing=True)
            await world.drain()
            for name in names:
                assert await world.walk(name) == []
                assert await held(world, name) == [], f"after {steps} steps"
    finally:
        deliver_module.JOB_SECONDS = before


async def around_the_threshold(world: World) -> None:
    """Trap 24: each post once, whatever side of the threshold its author was on."""
    await ada_and_bob(world)
    await world.add("cat", "dan", "eve")
    world.backends = replace(world.backends, policy=replace(world.backends.policy, celebrity_threshold=3))
    posts = []
    for number in range(12):
        if number % 4 == 1:
            await world.follow("cat", "ada")
            await world.follow("dan", "ada")
        if number % 4 == 3:
            await world.unfollow("cat", "ada")
        posts.append(await world.post("ada"))
        if number % 3:
            await world.drain()
        assert await world.walk("bob", 4) == newest_first(posts)
    await world.drain()
    assert await same_by_every_way(world, "bob") == newest_first(posts)
    assert len(await held(world, "bob")) < len(posts)


async def a_large_fan_out_under_way(world: World) -> None:
    """Trap 23: between two slices of a large fan-out everybody's page is right, and other authors are served."""
    await ada_and_bob(world)
    followers = ["cat", "dan", "eve", "fay"]
    await world.add("sue", *followers)
    for name in ("bob", *followers):
        await world.follow(name, "ada", "sue")
        await world.warm(name)
    world.backends = replace(world.backends, policy=replace(world.backends.policy, fanout_batch=1))
    before, deliver_module.JOB_SECONDS = deliver_module.JOB_SECONDS, 0.0
    try:
        large = await world.post("ada")
        event = await lease(world)
        small = []
        outcome = deliver_module.Outcome.CONTINUES
        while outcome is deliver_module.Outcome.CONTINUES:
            report = await deliver_module.deliver_event(world.backends, event_id=event.id, attempt=event.attempt)
            outcome = report.outcome
            small.append(await world.post("sue"))
            await world.drain()
            for name in ("bob", *followers):
                assert await world.walk(name, 3) == newest_first([large, *small])
    finally:
        deliver_module.JOB_SECONDS = before
    assert len(small) > len(followers), "one slice after the other"
    assert await same_by_every_way(world, "bob") == newest_first([large, *small])


async def one_millisecond(world: World) -> None:
    """Trap 26: posts of one millisecond, and one that is back-dated, page stably across every seam."""
    await ada_and_bob(world)
    now = milliseconds_of(await world.post("ada"))
    made = [make_id(milliseconds=now + 5, sequence=sequence, shard=shard) for sequence in range(5) for shard in (3, 900)]
    made.append(make_id(milliseconds=now - 9_000_000, sequence=1, shard=1))
    async with world.backends.database.writing() as session:
        for post_id in made[::-1]:
            await session.execute(
                text("INSERT INTO posts (id, author_id, text, created_at) VALUES (:id, :author, 'x', now())"),
                {"id": post_id, "author": world.ids["ada"]},
            )
            await outbox.insert_event(session, outbox.OutboxKind.POST_PUBLISHED, author_id=world.ids["ada"], post_id=post_id)
    assert len(await same_by_every_way(world, "bob", sizes=(1, 2, 3, 4))) == 12
    await world.drain()
    for cap in (CAP, 20):
        world.backends.timelines.cap = cap
        assert len(await same_by_every_way(world, "bob", sizes=(1, 2, 3, 4))) == 12
    await backwards(world, "bob")


async def backwards(world: World, viewer: str) -> None:
    """From each entry towards the new end."""
    full = await expected_feed(world.backends, world.ids[viewer])
    page = await world.page(viewer, 100)
    for place, edge in enumerate(page.edges):
        newer = await world.page(viewer, 2, edge.cursor, backward=True)
        assert ids(newer) == full[max(0, place - 2) : place]


async def a_smaller_cap(world: World) -> None:
    """A timeline of an earlier, larger cap is read backwards without a hole."""
    await ada_and_bob(world)
    world.backends.timelines.cap = 200
    for _ in range(80):
        await world.post("ada")
    await world.drain()
    world.backends.timelines.cap = CAP
    await backwards(world, "bob")


async def delivered_while_rebuilding(world: World) -> None:
    """A post that is delivered after the rebuild has read the database reaches the timeline all the same."""
    await ada_and_bob(world)
    await world.post("ada")
    await world.drain()
    await world.backends.timelines.forget([world.ids["bob"]])
    post = await world.post("ada")
    load = load_pushed_ids

    async def load_then_deliver(*arguments: object, **named: object) -> list[int]:
        rows = await load(*arguments, **named)  # type: ignore[arg-type]
        await world.drain()
        return rows

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rebuild_module, "load_pushed_ids", load_then_deliver)
        await world.page("bob")
    assert post in await held(world, "bob")
    assert len(await world.walk("bob")) == 2


async def an_old_post_shown_late(world: World) -> None:
    """A post older than a cut slice is not put below its floor: what lies between would be skipped."""
    await ada_and_bob(world)
    old = await world.post("ada", visibility=Visibility.PRIVATE)
    for _ in range(2 * CAP + 1):  # just trimmed: there is room for it
        await world.post("ada")
        await world.drain()
    await edit_post(world.backends, author_id=world.ids["ada"], post_id=old, body=None, visibility=Visibility.PUBLIC)
    await world.drain()
    assert old not in await held(world, "bob")
    assert (await same_by_every_way(world, "bob"))[-1] == old


async def another_server_run(world: World) -> None:
    """A timeline of the past is cold after a restart of the server."""
    await ada_and_bob(world)
    await world.post("ada")
    await world.drain()
    key = keys.timeline(world.ids["bob"])
    old = await world.backends.redis.redis.dump(key)
    assert old is not None
    await world.post("ada")
    await world.drain()
    await world.backends.redis.redis.restore(key, 60_000, old, replace=True)
    world.backends.redis._run.id = "anotherrun12"
    assert len(await world.walk("bob")) == 2


async def another_database(world: World) -> None:
    """A timeline of a database that was here before, with the same accounts at the same graph version, is cold."""
    await ada_and_bob(world)
    await world.post("ada")
    await world.drain()
    bob = world.ids["bob"]
    old = await world.backends.redis.redis.dump(keys.timeline(bob))
    assert old is not None
    before = await world.timeline_version("bob")
    await world.post("ada")
    await world.drain()
    await world.backends.redis.redis.restore(keys.timeline(bob), 60_000, old, replace=True)
    await _one(world, "UPDATE deployment SET identity = left(md5(identity), 8) RETURNING 1")
    after = await world.timeline_version("bob")
    assert after.graph == before.graph
    found = await world.backends.timelines.read_older(bob, version=after, below=MAX_ID, size=10)
    assert found.warmth is Warmth.COLD
    assert len(await world.walk("bob")) == 2


async def a_stale_attempt(world: World) -> None:
    """A worker whose lease was lost stops, and progress is not made twice."""
    world.backends = replace(world.backends, policy=replace(world.backends.policy, fanout_batch=1))
    await world.add("ada", "bob", "cat", "dan")
    for name in ("bob", "cat", "dan"):
        await world.follow(name, "ada")
    await world.post("ada")
    old = await lease(world)
    await _one(world, "UPDATE outbox SET next_attempt_at = now() RETURNING 1")
    new = await lease(world)
    report = await deliver_module.deliver_event(world.backends, event_id=old.id, attempt=old.attempt)
    assert report.outcome is deliver_module.Outcome.GONE
    report = await deliver_module.deliver_event(world.backends, event_id=new.id, attempt=new.attempt)
    assert report.outcome is deliver_module.Outcome.DONE


async def lease(world: World) -> outbox.LeasedEvent:
    """The one event of a post that is due."""
    async with world.backends.database.writing() as session:
        (event,) = [event for event in await outbox.lease_due_events(session, size=20, lease_seconds=30.0) if event.post_id]
    return event


async def _one(world: World, statement: str, *, missing: bool = False) -> tuple[object, ...]:
    async with world.backends.database.writing() as session:
        row = (await session.execute(text(statement))).first()
    assert row is not None or missing
    return tuple(row) if row is not None else ()


SCENES = [
    scroll_beyond_the_cap,
    workers_stop_and_resume,
    a_sleeping_timeline_stays_asleep,
    unfollowed_while_fan_out_runs,
    followed_and_unfollowed,
    back_after_a_dead_builder,
    empty_is_said_only_when_known,
    almost_everything_is_filtered,
    hidden_and_shown_again,
    private_posts_stay_at_home,
    deleted_at_every_step,
    around_the_threshold,
    a_large_fan_out_under_way,
    one_millisecond,
    a_smaller_cap,
    delivered_while_rebuilding,
    an_old_post_shown_late,
    another_server_run,
    another_database,
    a_stale_attempt,
]
