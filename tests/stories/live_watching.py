"""A connected client of the live feed, as tests see it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from db import outbox, posts
from db.database import WriteSession
from db.outbox import OutboxKind
from domain.errors import TidingsError
from domain.records import Visibility
from services.feeds.wire_events import NewPost, WireEvent
from services.live.hub import LiveHub
from services.live.watch_feed import watch_home_feed
from tests.world import World


@dataclass
class Client:
    """Collects events in the background; `cursor` is where it would resume."""

    world: World
    feed: LiveHub
    viewer: str
    cursor: str
    events: list[NewPost] = field(default_factory=list)
    stop_after: int | None = None
    _task: asyncio.Task[None] | None = None

    @property
    def ids(self) -> list[int]:
        return [event.edge.node.id for event in self.events]

    @property
    def is_cut(self) -> bool:
        """Whether there is no connection now."""
        return self._task is None

    def connect(self, *, stop_after: int | None = None) -> None:
        """Goes on from the cursor; cuts the connection by itself after so many further events."""
        self.stop_after = stop_after
        self._task = asyncio.get_running_loop().create_task(self._listen())

    async def _listen(self) -> None:
        stream = watch_home_feed(self.world.backends, self.feed, viewer_id=self.world.ids[self.viewer], after=self.cursor)
        left = self.stop_after
        async with contextlib.aclosing(stream) as events:
            async for event in events:
                self.events.append(event)
                self.cursor = event.cursor
                if left is not None:
                    left -= 1
                    if left <= 0:
                        return

    async def cut(self) -> None:
        """The connection ends; the error that ended it before is raised."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def has(self, wanted: set[int], *, within_seconds: float = 10.0) -> None:
        """Waits until all of them have come."""
        async with asyncio.timeout(within_seconds):
            while not wanted <= set(self.ids):
                if self._task is not None and self._task.done() and self.stop_after is None:
                    self._task.result()
                await asyncio.sleep(0.01)


@asynccontextmanager
async def held_post(world: World, author: str) -> AsyncIterator[int]:
    """A post whose transaction has its ids and commits only when the block ends: later than others with higher ids."""
    async with world.backends.database.writing() as session:
        yield await _insert(session, world.ids[author])


async def _insert(session: WriteSession, author_id: int) -> int:
    post = await posts.insert_post(
        session, author_id=author_id, body="late", entities=[], visibility=Visibility.PUBLIC, location=None
    )
    await outbox.insert_event(session, OutboxKind.POST_PUBLISHED, author_id=author_id, post_id=post.id)
    return post.id


class SlowTarget:
    """Takes events, and says whether it takes more as the test says."""

    wants_changes = False

    def __init__(self) -> None:
        self.has_room = True
        self.ids: list[int] = []

    def take(self, events: Sequence[WireEvent]) -> None:
        self.ids += [event.edge.node.id for event in events if isinstance(event, NewPost)]

    def end(self, error: TidingsError) -> None:
        raise error
