"""Live counters: the values of now, then changes, the latest one alone, and nothing of what is hidden."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from db.shares import add_to_share_count
from domain.moderation import ModerationChange
from domain.records import PostCounts, Visibility
from services.graph.block_user import block_user
from services.moderation.moderate_account import moderate_account
from services.moderation.remove_post import remove_post
from services.posts import post_counts_feed
from services.posts.delete_post import delete_post
from services.posts.edit_post import edit_post
from services.posts.post_counts_feed import BATCH_VALUES, PAUSE_SECONDS, PostCountsFeed
from services.posts.unshare_post import unshare_post
from tests.count_queries import count_queries
from tests.world import World

ABSENT = 4_611_686_018_427_387_904


@dataclass
class Client:
    """One who watches, and when they heard of what."""

    heard: list[tuple[float, PostCounts]] = field(default_factory=list)

    def shares(self, post_id: int) -> list[int]:
        return [counts.share_count for _, counts in self.heard if counts.post_id == post_id]

    async def has_heard(self, count: int) -> None:
        await self.until(lambda: len(self.heard) == count)

    async def hears(self, post_id: int, shares: int) -> None:
        await self.until(lambda: self.shares(post_id)[-1:] == [shares])

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not is_so():
                await asyncio.sleep(0.01)


@pytest.fixture
async def feed(world: World) -> AsyncIterator[PostCountsFeed]:
    feed = PostCountsFeed(world.backends)
    feed.start()
    yield feed
    await feed.stop()


@asynccontextmanager
async def watching(feed: PostCountsFeed, viewer_id: int | None, *post_ids: int) -> AsyncIterator[Client]:
    client = Client()

    async def listen() -> None:
        async with contextlib.aclosing(feed.watch(post_ids, viewer_id=viewer_id)) as changes:
            async for counts in changes:
                client.heard.append((asyncio.get_running_loop().time(), counts))

    task = asyncio.create_task(listen())
    try:
        yield client
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def share_times(world: World, post_id: int, by: int = 1) -> None:
    """The bare number, as if so many had shared it."""
    async with world.backends.database.writing() as session:
        await add_to_share_count(session, post_id, by)


async def test_values_of_now_and_then_changes(world: World, feed: PostCountsFeed) -> None:
    await world.add("ada", "bob", "cat")
    first, second = await world.post("ada"), await world.post("ada")
    await world.share("bob", first)
    async with watching(feed, world.ids["bob"], first, second, ABSENT) as client:
        await client.until(lambda: len(client.heard) == 2)
        assert {counts for _, counts in client.heard} == {PostCounts(first, 0, 0, 1), PostCounts(second, 0, 0, 0)}
        await world.share("cat", first, "with words")
        feed.ring([first])
        await client.until(lambda: client.shares(first) == [1, 2])
        await unshare_post(world.backends, author_id=world.ids["bob"], post_id=first)
        feed.ring([first, second, ABSENT])
        await client.until(lambda: client.shares(first) == [1, 2, 1])
        assert client.shares(second) == [0]


async def test_many_changes_are_few_messages_and_the_last_one_counts(world: World, feed: PostCountsFeed) -> None:
    await world.add("ada")
    post_id = await world.post("ada")
    async with watching(feed, world.ids["ada"], post_id) as client, watching(feed, None, post_id) as another:
        for _ in range(60):
            await share_times(world, post_id)
            feed.ring([post_id])
            await asyncio.sleep(0.02)
        for one in (client, another):
            await one.hears(post_id, 60)
            times = [at for at, _ in one.heard]
            assert all(later - earlier >= PAUSE_SECONDS for earlier, later in pairwise(times))
            assert one.shares(post_id) == sorted(set(one.shares(post_id)))


async def test_who_comes_late_gets_values_at_once_and_changes_like_all(world: World, feed: PostCountsFeed) -> None:
    await world.add("ada")
    post_id = await world.post("ada")
    async with watching(feed, None, post_id) as early:
        await early.until(lambda: early.shares(post_id) == [0])
        await share_times(world, post_id)
        feed.ring([post_id])
        async with watching(feed, None, post_id) as late:
            await late.until(lambda: bool(late.heard))
            await share_times(world, post_id)
            feed.ring([post_id])
            await late.until(lambda: late.shares(post_id)[-1] == 2)
            await early.until(lambda: early.shares(post_id)[-1] == 2)


async def test_hidden_and_absent_posts_are_silent(world: World, feed: PostCountsFeed) -> None:
    await world.add("ada", "bob", "eve", "sue", "shy", "me")
    hidden = {
        "private": await world.post("ada", visibility=Visibility.PRIVATE),
        "friends": await world.post("ada", visibility=Visibility.FRIENDS),
        "of who blocks": await world.post("eve"),
        "of a suspended one": await world.post("sue"),
        "deleted": await world.post("ada"),
        "share of a deleted one": (gone := await world.post("ada")) and await world.share("bob", gone),
        "absent": ABSENT,
    }
    await block_user(world.backends, viewer_id=world.ids["eve"], user_id=world.ids["me"])
    await moderate_account(world.backends, username="sue", change=ModerationChange.SUSPEND)
    for post_id in (hidden["deleted"], gone):
        await delete_post(world.backends, author_id=world.ids["ada"], post_id=post_id)
    visible = await world.post("ada")
    share = await world.share("bob", visible)
    for viewer_id in (world.ids["me"], None):
        async with watching(feed, viewer_id, *hidden.values(), visible, share) as client:
            await client.has_heard(2 if viewer_id else 3)
            for post_id in hidden.values():
                await share_times(world, post_id)
            await share_times(world, visible)
            feed.ring([*hidden.values(), visible])
            await client.hears(visible, client.shares(visible)[0] + 1)
            seen = {counts.post_id for _, counts in client.heard}
            # An anonymous viewer is not blocked.
            assert seen - {visible, share} == ({hidden["of who blocks"]} if viewer_id is None else set())


async def test_what_is_no_longer_seen_is_no_longer_told(world: World, feed: PostCountsFeed) -> None:
    await world.add("ada", "eve", "bob")
    narrowed, blocked, stays = await world.post("ada"), await world.post("eve"), await world.post("ada")
    async with watching(feed, world.ids["bob"], narrowed, blocked, stays) as client:
        await client.until(lambda: len(client.heard) == 3)
        await edit_post(world.backends, author_id=world.ids["ada"], post_id=narrowed, body=None, visibility=Visibility.FRIENDS)
        await block_user(world.backends, viewer_id=world.ids["eve"], user_id=world.ids["bob"])
        for post_id in (narrowed, blocked, stays):
            await share_times(world, post_id)
        feed.ring([narrowed, blocked, stays])
        await client.until(lambda: client.shares(stays) == [0, 1])
        assert client.shares(narrowed) == client.shares(blocked) == [0]
        # It can be seen again: then what was missed is told, without a bell.
        await edit_post(world.backends, author_id=world.ids["ada"], post_id=narrowed, body=None, visibility=Visibility.PUBLIC)
        feed.ring(None)
        await client.until(lambda: client.shares(narrowed) == [0, 1])
        await moderate_account(world.backends, username="bob", change=ModerationChange.SUSPEND)
        await share_times(world, stays)
        async with watching(feed, None, stays) as witness:
            feed.ring([stays])
            await witness.until(lambda: witness.shares(stays)[-1:] == [2])
        assert client.shares(stays) == [0, 1]


async def test_values_that_have_waited_are_judged_again(
    world: World, feed: PostCountsFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post_counts_feed, "FRESH_SECONDS", 0.1)
    await world.add("ada", "bob")
    hidden, stays = await world.post("ada"), await world.post("ada")
    slow = feed.watch([hidden, stays], viewer_id=world.ids["bob"])
    assert {(await anext(slow)).post_id for _ in range(2)} == {hidden, stays}
    for post_id in (hidden, stays):
        await share_times(world, post_id)
    feed.ring([hidden, stays])
    async with watching(feed, world.ids["bob"], hidden, stays) as quick:
        await quick.until(lambda: quick.shares(hidden)[-1:] == quick.shares(stays)[-1:] == [1])
        await asyncio.sleep(PAUSE_SECONDS + 0.2)
        await delete_post(world.backends, author_id=world.ids["ada"], post_id=hidden)
        async with asyncio.timeout(10):
            assert await anext(slow) == PostCounts(stays, 0, 0, 1)
    await slow.aclose()


async def test_a_lost_bell_costs_seconds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post_counts_feed, "LOST_BELL_SECONDS", 0.2)
    monkeypatch.setattr(post_counts_feed, "SWEPT_POSTS", 2)
    monkeypatch.setattr(post_counts_feed, "BATCH_POSTS", 2)
    feed = PostCountsFeed(world.backends)
    feed.start()
    await world.add("ada")
    posts = [await world.post("ada") for _ in range(5)]
    async with watching(feed, world.ids["ada"], *posts) as client:
        await client.until(lambda: len(client.heard) == 5)
        for post_id in posts:
            await share_times(world, post_id)
        await client.until(lambda: all(client.shares(post_id) == [0, 1] for post_id in posts))
    await feed.stop()


async def test_statements_do_not_grow_with_watchers(world: World, feed: PostCountsFeed) -> None:
    names = [f"viewer{number}" for number in range(BATCH_VALUES // 3)]
    await world.add("ada", *names)
    posts = [await world.post("ada") for _ in range(3)]

    async def statements(viewers: list[str]) -> int:
        async with contextlib.AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(watching(feed, world.ids[name], *posts)) for name in viewers]
            for client in clients:
                await client.has_heard(len(posts))
            await asyncio.sleep(PAUSE_SECONDS + 0.1)
            for post_id in posts:
                await share_times(world, post_id)
            with count_queries(world.backends) as counted:
                feed.ring(posts)
                for client in clients:
                    await client.has_heard(2 * len(posts))
            return counted.count

    assert await statements(names) <= await statements(names[:1]) + 1


async def test_whoever_leaves_leaves_nothing(world: World, feed: PostCountsFeed) -> None:
    await world.add("ada")
    posts = [await world.post("ada") for _ in range(3)]
    async with watching(feed, None, *posts) as client, watching(feed, world.ids["ada"], *posts[:2]):
        await client.until(lambda: len(client.heard) == 3)
        assert feed.watched_count == 3
    assert feed.watched_count == 0
    feed.ring(posts)
    feed.ring(None)
    await asyncio.sleep(0.05)


async def test_what_changes_counts_rings(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.add("ada", "bob", "cat")
    root = await world.post("ada")
    rung: list[int] = []
    monkeypatch.setattr(type(world.backends.live_bell), "ring_counts", lambda _, ids: rung.extend(ids))
    await world.share("bob", root)
    quote = await world.share("cat", root, "words")
    await unshare_post(world.backends, author_id=world.ids["bob"], post_id=root)
    await delete_post(world.backends, author_id=world.ids["cat"], post_id=quote)
    again = await world.share("bob", root)
    await remove_post(world.backends, post_id=again)
    assert rung == [root] * 6
    await delete_post(world.backends, author_id=world.ids["ada"], post_id=root)
    assert rung == [root] * 6
