"""New posts to everybody who is connected to this process.

One task follows the outbox from snapshot to snapshot, woken by the bell, and hands each publication to the queues of those
connected viewers whom it may concern: five statements a batch, however many sockets there are. What does not fit into a
queue is not lost: that watcher is marked as behind and reads what it missed from the database by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from db.live_events import load_published_since, take_moment
from domain.errors import UnavailableError
from domain.event_log import SHARED_BELL
from domain.snapshots import Snapshot
from services.backends import Backends
from services.feeds.published_facts import PublishedFacts

BATCH_SIZE = 500
QUEUE_SIZE = 64
LOOKING_UP = 3
"""Watchers that ask the database for themselves at a time: thousands of them must not take it away from requests."""
_RETRY_SECONDS = 0.5

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LivePost:
    """A publication that may concern a watcher."""

    event_id: int
    transaction_id: int
    post_id: int


@dataclass(frozen=True, slots=True)
class LiveBatch:
    """A viewer's part of what happened up to `snapshot`, and what it is to be judged by when it is sent."""

    snapshot: Snapshot
    snapshot_text: str
    as_of: datetime
    posts: list[LivePost]
    facts: PublishedFacts


@dataclass(eq=False)
class Watcher:
    """One subscription's mailbox. `is_behind`: something did not fit; read what is missing from the database."""

    viewer_id: int
    queue: asyncio.Queue[LiveBatch] = field(default_factory=lambda: asyncio.Queue(QUEUE_SIZE))
    is_behind: bool = False

    def put(self, batch: LiveBatch) -> None:
        try:
            self.queue.put_nowait(batch)
        except asyncio.QueueFull:
            self.is_behind = True


class LiveFeed:
    """The live side of one process. `ring` is what the bell calls."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._watchers: dict[int, set[Watcher]] = {}
        self._rung = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._seen: str | None = None
        self.looking_up = asyncio.Semaphore(LOOKING_UP)

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="live-feed")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def ring(self) -> None:
        """Something may have happened."""
        self._rung.set()

    def hear(self, channel: str, _: bytes | None) -> None:
        """`ring`, as a listener of bells calls it."""
        if channel == SHARED_BELL:
            self._rung.set()

    @property
    def watcher_count(self) -> int:
        return sum(len(watchers) for watchers in self._watchers.values())

    async def join(self, viewer_id: int) -> Watcher:
        """A mailbox for everything that is published from now on. Raises UnavailableError."""
        if self._seen is None:
            async with self._backends.database.reading() as session:
                seen, _ = await take_moment(session)
            # Another one may have joined meanwhile: the older moment stays, since its watcher needs what lies between.
            self._seen = self._seen or seen
        watcher = Watcher(viewer_id)
        self._watchers.setdefault(viewer_id, set()).add(watcher)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        watchers = self._watchers.get(watcher.viewer_id)
        if watchers is not None:
            watchers.discard(watcher)
            if not watchers:
                del self._watchers[watcher.viewer_id]
        if not self._watchers:
            # Nobody listens: the next one begins at its own moment instead of catching up for nobody.
            self._seen = None

    async def _run(self) -> None:
        while True:
            await self._rung.wait()
            self._rung.clear()
            try:
                await self._advance()
            except UnavailableError:
                # The position has not moved: nothing is lost, only late.
                await asyncio.sleep(_RETRY_SECONDS)
                self._rung.set()
            except Exception:
                log.exception("live.dispatch_failed")
                await asyncio.sleep(_RETRY_SECONDS)
                self._rung.set()

    async def _advance(self) -> None:
        """Hands out what was published since the last time."""
        seen = self._seen
        if seen is None:
            return
        async with self._backends.database.reading() as session:
            batch = await load_published_since(session, seen, size=BATCH_SIZE)
            rows = batch.rows if batch.is_whole else []
            facts = PublishedFacts((row.post_id for row in rows), self._watchers, policy=self._backends.policy)
            if rows:
                await facts.load(session)
        if self._seen == seen:
            self._seen = batch.snapshot
        snapshot = Snapshot.parse(batch.snapshot)
        if not batch.is_whole:
            # Far behind (the database was away): every watcher catches up by itself, bounded.
            for watcher in self._all_watchers():
                watcher.is_behind = True
                watcher.put(LiveBatch(snapshot, batch.snapshot, batch.as_of, [], facts))
        parts: dict[int, list[LivePost]] = {}
        for row in rows:
            post = LivePost(row.event_id, row.transaction_id, row.post_id)
            for viewer_id in facts.receivers(row.post_id):
                parts.setdefault(viewer_id, []).append(post)
        for viewer_id, posts in parts.items():
            for watcher in self._watchers.get(viewer_id, ()):
                watcher.put(LiveBatch(snapshot, batch.snapshot, batch.as_of, posts, facts))

    def _all_watchers(self) -> list[Watcher]:
        return [watcher for watchers in self._watchers.values() for watcher in watchers]
