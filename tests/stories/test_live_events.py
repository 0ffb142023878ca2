"""For everything that touches a feed: old page + `feedEvents` = fresh page, through logs, bells and the hub, over cuts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

import pytest

from domain.errors import RefusedError
from services.backends import Backends
from services.feeds.feed_cursors import seal_moment
from services.feeds.wire_events import ChangedPost, NewPost, RemovedPost, ResetFeed, WireEvent
from services.live.hub import LiveHub
from services.live.watch_feed import read_missed_events, watch_feed_events
from tests.live_hub import running_hub
from tests.stories.difference_actions import ACTIONS, Watched, release_all
from tests.stories.scene import Ground, Scene
from tests.stories.told_client import Reading, ToldClient, read_feed, readings

STEPS = 60
_OURS = {"join", "be_told", "be_told_and_check", "drain", "threshold"}
_KINDS = sorted(set(ACTIONS) - _OURS)


@dataclass
class Client:
    """Shows a feed by being told of it. `cursor`: behind the last event that it took."""

    hub: LiveHub
    told: ToldClient
    cursor: str
    entries: dict[int, Reading] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)
    _task: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, hub: LiveHub, viewer_id: int) -> Client:
        told = await ToldClient.open(hub.backends, viewer_id)
        cursor = seal_moment(hub.backends.sealer, viewer_id, told.moment)
        return cls(hub, told, cursor, dict(told.entries))

    def connect(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._listen())

    async def cut(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def ask(self, first: int) -> bool:
        """By request instead of live; whether there is more."""
        missed = await read_missed_events(self.hub.backends, viewer_id=self.told.viewer_id, after=self.cursor, first=first)
        for event in missed.events:
            await self._take(event)
        self.cursor = missed.cursor
        return missed.has_more

    async def is_right(self) -> bool:
        _, fresh = await read_feed(self.hub.backends, self.told.viewer_id)
        return self.entries == fresh

    async def _listen(self) -> None:
        stream = watch_feed_events(self.hub.backends, self.hub, viewer_id=self.told.viewer_id, after=self.cursor)
        async with contextlib.aclosing(stream) as events:
            async for event in events:
                # Shielded: a client that is cut has taken an event, or it has not.
                await asyncio.shield(self._take(event))

    async def _take(self, event: WireEvent) -> None:
        self.kinds.add(type(event).__name__)
        if isinstance(event, RemovedPost):
            self.entries.pop(event.post_id, None)
        elif isinstance(event, NewPost):
            self.entries |= await readings(self.hub.backends, self.told.viewer_id, [event.edge.facts])
        elif isinstance(event, ChangedPost):
            if event.facts.post.id in self.entries:
                self.entries |= await readings(self.hub.backends, self.told.viewer_id, [event.facts])
        elif isinstance(event, ResetFeed):
            _, self.entries = await read_feed(self.hub.backends, self.told.viewer_id)
        self.cursor = event.cursor


@pytest.fixture
async def ground(backends: Backends) -> AsyncIterator[Ground]:
    async with Ground.open(backends) as ground:
        yield ground


@asynccontextmanager
async def _scene(ground: Ground, chance: Random, *, people: int) -> AsyncIterator[Watched]:
    follows = [(chance.randrange(99), chance.randrange(99)) for _ in range(3 * people)]
    scene = await Scene.open(ground, people=people, follows=follows, window_days=7)
    try:
        yield Watched(scene)
    finally:
        scene.close()


@pytest.mark.parametrize("seed", range(3))
async def test_old_page_and_events_are_the_fresh_page(ground: Ground, seed: int) -> None:
    chance = Random(seed)
    async with _scene(ground, chance, people=5) as watched:
        await _walk_live(watched, chance)


async def _walk_live(watched: Watched, chance: Random) -> None:
    scene, world = watched.scene, watched.scene.world
    for _ in range(8):
        await _act(watched, chance, "post")
    await world.drain()
    async with running_hub(world.backends) as hub:
        clients = [await Client.open(hub, scene.id(number)) for number in range(5)]
        for client in clients:
            client.connect()
        for _ in range(STEPS):
            await _act(watched, chance, chance.choice(_KINDS))
            if chance.random() < 0.4:
                await world.drain()
            if chance.random() < 0.3:
                client = chance.choice(clients)
                await client.cut()
                if chance.random() < 0.3:
                    await client.ask(chance.choice((1, 2, 100)))
                client.connect()
            if chance.random() < 0.04:
                await world.backends.redis.redis.flushdb()
            if chance.random() < 0.04:
                # As if the server had restarted, with all that it had.
                world.backends.redis._run.id = f"run{chance.randrange(9)}"
            if chance.random() < 0.1:
                await world.backends.redis.redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # type: ignore[no-untyped-call]
        await release_all(watched)
        await world.drain()
        for client in clients:
            if not await scene.is_awake(client.told.viewer_id):
                continue
            async with asyncio.timeout(20):
                while not await client.is_right():
                    await asyncio.sleep(0.05)
        for client in clients:
            await client.cut()
    assert {"NewPost", "RemovedPost"} & set().union(*(client.kinds for client in clients)), "nothing was told at all"


@pytest.mark.parametrize("first", [1, 3])
async def test_missed_events_in_small_parts_lead_to_the_fresh_page(ground: Ground, first: int) -> None:
    chance = Random(first)
    async with _scene(ground, chance, people=4) as watched:
        await _walk_and_ask(watched, chance, first)


async def _walk_and_ask(watched: Watched, chance: Random, first: int) -> None:
    scene, world = watched.scene, watched.scene.world
    for _ in range(6):
        await _act(watched, chance, "post")
    async with running_hub(world.backends) as hub:
        clients = [await Client.open(hub, scene.id(number)) for number in range(4)]
        for _ in range(40):
            await _act(watched, chance, chance.choice(_KINDS))
        await release_all(watched)
        for client in clients:
            if not await scene.is_awake(client.told.viewer_id):
                continue
            async with asyncio.timeout(20):
                while await client.ask(first):
                    pass
            assert await client.is_right()


async def _act(watched: Watched, chance: Random, kind: str) -> None:
    with contextlib.suppress(RefusedError):
        await ACTIONS[kind](watched, chance.randrange(999), chance.randrange(999), chance.randrange(999))
