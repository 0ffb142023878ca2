"""Live: whoever watches hears of what is new to them, as it is now, and of nothing that is hidden."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from domain.event_log import pack_ids
from domain.moderation import ModerationChange
from domain.notifications import NotificationRecord
from live.channels import NOTIFICATIONS
from live.listener import BellListener
from services.graph.mute_user import mute_user
from services.moderation.moderate_account import moderate_account
from services.notifications import notification_feed
from services.notifications.notification_feed import BATCH_WATCHES, NotificationFeed
from services.posts.delete_post import delete_post
from tests.count_queries import count_queries
from tests.services.notifications.telling import Telling


@dataclass
class Client:
    """One who watches, and what they heard."""

    heard: list[NotificationRecord] = field(default_factory=list)

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not is_so():
                await asyncio.sleep(0.01)

    async def hears(self, count: int) -> NotificationRecord:
        await self.until(lambda: len(self.heard) >= count)
        assert len(self.heard) == count, self.heard
        return self.heard[-1]


@pytest.fixture
async def feed(telling: Telling) -> AsyncIterator[NotificationFeed]:
    """With the listener of its process."""
    feed = NotificationFeed(telling.backends)
    feed.start()
    listener = BellListener(telling.backends.redis.url, feed.hear)
    listener.start()
    yield feed
    await listener.stop()
    await feed.stop()


@asynccontextmanager
async def watching(feed: NotificationFeed, viewer_id: int) -> AsyncIterator[Client]:
    client = Client()

    async def listen() -> None:
        async with contextlib.aclosing(feed.watch(viewer_id)) as groups:
            async for group in groups:
                client.heard.append(group)

    task = asyncio.create_task(listen())
    try:
        await has_begun(feed, viewer_id)
        yield client
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def has_begun(feed: NotificationFeed, viewer_id: int) -> None:
    """Until it is known where the watchers of this viewer begin."""
    async with asyncio.timeout(10):
        while not (watches := feed._watches.get(viewer_id)) or any(watch.told_to is None for watch in watches):
            await asyncio.sleep(0.005)


async def test_what_is_new_and_what_grows(telling: Telling, feed: NotificationFeed) -> None:
    ids = telling.world.ids
    post_id = await telling.world.post("ada")
    await telling.like("bob", post_id)
    await telling.process()
    async with watching(feed, ids["ada"]) as client, watching(feed, ids["ada"]) as another, watching(feed, ids["bob"]) as bob:
        await telling.like("cat", post_id)
        await telling.process()
        grown = await client.hears(1)
        assert (grown.actor_ids, grown.actor_count) == ((ids["cat"], ids["bob"]), 2), "what was there before is not told alone"
        assert await another.hears(1) == grown
        await telling.world.follow("dan", "ada")
        await telling.process()
        assert (await client.hears(2)).kind == "FOLLOW"
        # Withdrawn, and there again: nothing new.
        await telling.unlike("cat", post_id)
        await telling.process()
        await telling.like("cat", post_id)
        await telling.world.post("eve", "@ada @bob")
        await telling.process()
        assert (await client.hears(3)).kind == (await bob.hears(1)).kind == "MENTION"
    assert feed.watcher_count == 0


async def test_hidden_things_are_not_told(telling: Telling, feed: NotificationFeed) -> None:
    ids = telling.world.ids
    first, second = await telling.world.post("ada"), await telling.world.post("ada")
    await mute_user(telling.backends, viewer_id=ids["ada"], user_id=ids["bob"], until=None)
    async with watching(feed, ids["ada"]) as client, watching(feed, ids["cat"]) as cat:
        await telling.like("bob", first)
        await telling.like("cat", second)
        await delete_post(telling.backends, author_id=ids["ada"], post_id=second)
        await telling.world.post("ada", "@cat")
        await telling.process()
        await cat.hears(1)
        await moderate_account(telling.backends, username="ada", change=ModerationChange.SUSPEND)
        await telling.world.post("dan", "@ada @cat")
        await telling.process()
        await cat.hears(2)
        assert client.heard == []


async def test_what_has_waited_is_judged_again(
    telling: Telling, feed: NotificationFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notification_feed, "FRESH_SECONDS", 0.05)
    ids = telling.world.ids
    slow = feed.watch(ids["ada"])
    waiting = asyncio.ensure_future(anext(slow))
    await has_begun(feed, ids["ada"])
    posts = [await telling.world.post("ada") for _ in range(3)]
    for post_id in posts:
        await telling.like("bob", post_id)
    async with watching(feed, ids["ada"]) as quick:
        await telling.process()
        await quick.hears(3)
        first = await waiting
        assert first.post_id in posts
        rest = [post_id for post_id in posts if post_id != first.post_id]
        await asyncio.sleep(0.1)
        await delete_post(telling.backends, author_id=ids["ada"], post_id=rest[0])
        async with asyncio.timeout(10):
            assert (await anext(slow)).post_id == rest[1]
    await slow.aclose()


async def test_a_lost_bell_costs_seconds(telling: Telling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notification_feed, "LOST_BELL_SECONDS", 0.2)
    feed = NotificationFeed(telling.backends)
    feed.start()
    async with watching(feed, telling.world.ids["ada"]) as client:
        await telling.like("bob", await telling.world.post("ada"))
        await telling.process()
        await client.hears(1)
    await feed.stop()


async def test_statements_do_not_grow_with_watchers(telling: Telling, feed: NotificationFeed) -> None:
    names = [f"viewer{number}" for number in range(BATCH_WATCHES // 4)]
    await telling.world.add(*names)
    ids = telling.world.ids

    async def statements(viewers: list[str]) -> int:
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(watching(feed, ids[name])) for name in viewers]
            await telling.world.post("ada", " ".join(f"@{name}" for name in viewers))
            bell = telling.backends.live_bell
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(type(bell), "ring_notifications", lambda *_: None)
                await telling.process()
            with count_queries(telling.backends) as counted:
                feed.hear(NOTIFICATIONS, pack_ids([ids[name] for name in viewers]))
                for client in clients:
                    await client.hears(1)
            return counted.count

    assert await statements(names) <= await statements(names[:1]) + 1
