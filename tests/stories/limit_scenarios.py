"""Repetitions, daily limits and kept history as small scenes: each ends with an AssertionError where one is wrong."""

from __future__ import annotations

from datetime import timedelta

from domain.feed import FeedReasonKind
from domain.ids import DAY_MS, milliseconds_of
from services.graph.update_follow import update_follow
from services.hashtags.follow_hashtag import follow_hashtag
from services.posts.delete_post import delete_post
from tests.stories.reason_scenarios import bob_and_sharers, unshare
from tests.stories.trap_scenarios import CAP, ada_and_bob, held, same_by_every_way
from tests.world import World, newest_first


async def _limit(world: World, follower: str, followee: str, limit: int) -> None:
    await update_follow(
        world.backends,
        follower_id=world.ids[follower],
        followee_id=world.ids[followee],
        close_friend=None,
        hide_shares=None,
        daily_limit=limit,
    )


async def repeated_after_the_window(world: World) -> None:
    """The same post again: not within the window, whose both ends count, and once more a millisecond beyond."""
    await bob_and_sharers(world)
    window = world.backends.policy.repeat_window // timedelta(milliseconds=1)
    root = await world.post("ada")
    start = milliseconds_of(root) - 3 * window
    first = await world.insert_post("cat", milliseconds=start, root_id=root)
    for late in (0, 1):
        again = await world.insert_post("dan", milliseconds=start + window + late, root_id=root)
        shown = [again, first] if late else [first]
        assert await same_by_every_way(world, "bob") == shown
        page = await world.page("bob")
        told = page.edges[-1].reasons
        assert [reason.kind for reason in told] == [FeedReasonKind.FOLLOWED_SHARER]
        assert [user.id for user in told[0].users] == [world.ids[name] for name in (("cat",) if late else ("dan", "cat"))]
        await unshare(world, "dan", root)
        await world.drain()


async def shared_again_far_above(world: World) -> None:
    """A second share is no entry, however much lies between; the one below names both sharers."""
    await bob_and_sharers(world)
    root = await world.post("ada")
    first = await world.share("cat", root)
    between = [await world.post("cat", f"number {number}") for number in range(3 * CAP)]
    await world.share("dan", root)
    await world.drain()
    assert await same_by_every_way(world, "bob") == newest_first([first, *between])
    (entry,) = (await world.page("bob", 1, (await world.page("bob", 50)).edges[-2].cursor)).edges
    assert [user.id for user in entry.reasons[0].users] == [world.ids["dan"], world.ids["cat"]]


async def daily_limits(world: World) -> None:
    """The first of each UTC day, deleted ones counted; what a hashtag brings is not counted out."""
    await ada_and_bob(world)
    own = await world.post("bob")
    midnight = (milliseconds_of(own) // DAY_MS - 2) * DAY_MS
    await _limit(world, "bob", "ada", 2)
    day_before = await world.insert_post("ada", milliseconds=midnight - 1)
    first, gone, third = [await world.insert_post("ada", milliseconds=midnight + at) for at in (0, 1, DAY_MS // 2)]
    late = await world.insert_post("ada", milliseconds=midnight + DAY_MS - 1)
    next_day = await world.insert_post("ada", milliseconds=midnight + DAY_MS)
    await world.drain()
    assert await same_by_every_way(world, "bob") == [own, next_day, gone, first, day_before]
    await delete_post(world.backends, author_id=world.ids["ada"], post_id=gone)
    assert await same_by_every_way(world, "bob") == [own, next_day, first, day_before]
    await _limit(world, "bob", "ada", 0)
    assert await world.walk("bob") == [own, next_day, late, third, first, day_before]
    await follow_hashtag(world.backends, viewer_id=world.ids["bob"], name="red")
    tagged = [await world.post("ada", "today #red") for _ in range(3)]
    await _limit(world, "bob", "ada", 1)
    assert await same_by_every_way(world, "bob") == [*newest_first(tagged), own, next_day, first, day_before]


async def kept_history(world: World) -> None:
    """What was there stays, even where its fan-out is still under way; nothing new comes, whatever the timeline holds."""
    await ada_and_bob(world)
    old = [await world.post("ada")]
    await world.drain()
    old.append(await world.post("ada"))
    await world.unfollow("bob", "ada", keep_history=True)
    await world.warm("bob")
    await world.drain()
    assert await held(world, "bob") == newest_first(old)
    last = milliseconds_of(old[-1])
    new = await world.insert_post("ada", milliseconds=last + 1_000_000)
    assert await world.walk("bob") == newest_first(old)
    await world.drain()
    await world.backends.timelines.deliver([world.ids["bob"]], new)
    assert await same_by_every_way(world, "bob") == newest_first(old)
    await world.unfollow("bob", "ada")
    assert await same_by_every_way(world, "bob") == []


SCENES = [repeated_after_the_window, shared_again_far_above, daily_limits, kept_history]
