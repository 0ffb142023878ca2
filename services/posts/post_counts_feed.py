"""Live counters to everybody in this process who watches posts.

One task looks after all watched posts: those for which the bell rang are read together, and every few seconds it looks whether
a bell was lost. Whether a watcher may see a post is judged on what was read with its counters, for all watchers at once. A
watcher holds the latest values alone, so one who reads slowly misses values in between and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections.abc import AsyncGenerator, Iterable
from itertools import islice

import structlog

from db.posts import load_counts, load_posts_for_many
from domain.errors import UnavailableError
from domain.event_log import unpack_ids
from domain.records import PostCounts
from live.channels import POST_COUNTS
from services.backends import Backends
from services.posts.watchers_who_see import find_watchers_who_see

PAUSE_SECONDS = 0.5
"""A watcher hears of one post at most once in this time, and a post is read again only after it."""
FRESH_SECONDS = 0.5
"""Values that have waited longer for their watcher are read and judged again: what is hidden must not be told."""
LOST_BELL_SECONDS = 5.0
BATCH_POSTS = 100
BATCH_VALUES = 50
"""Values handed out at a time. The next ones are read when these are taken: what is read earlier only grows old."""
FEW_WATCHERS = 5
"""So many who do not take what they are offered hold up nobody."""
SWEPT_POSTS = 200
_RETRY_SECONDS = 0.5
_LONG_AGO = float("-inf")

log = structlog.get_logger(__name__)


class _Watch:
    """What one subscription was told, and what waits for it."""

    __slots__ = ("is_rung", "is_slow", "known", "news", "post_ids", "told_at", "viewer_id")

    def __init__(self, viewer_id: int | None, post_ids: frozenset[int]) -> None:
        self.viewer_id = viewer_id
        self.post_ids = post_ids
        self.is_slow = False
        """It has let values grow old, and is offered none until it comes for more."""
        self.known: dict[int, PostCounts] = {}
        """Last told; of posts that were never told, what they had when they were hidden."""
        self.told_at: dict[int, float] = {}
        self.news: dict[int, tuple[PostCounts, float]] = {}
        """Values with the time at which they were judged."""
        self.is_rung = asyncio.Event()

    def is_due(self, post_id: int, now: float) -> bool:
        return self.told_at.get(post_id, _LONG_AGO) + PAUSE_SECONDS <= now

    def offer(self, counts: PostCounts, judged_at: float) -> None:
        self.news[counts.post_id] = (counts, judged_at)
        self.is_rung.set()

    def drop_old(self, now: float) -> bool:
        """Whether there was anything that has waited too long."""
        old = [post_id for post_id, (_, judged_at) in self.news.items() if now - judged_at > FRESH_SECONDS]
        for post_id in old:
            del self.news[post_id]
        return bool(old)

    def hide(self, counts: PostCounts) -> None:
        """The viewer may not see the post now. One that was told is looked at again by each sweep: it may come back."""
        self.news.pop(counts.post_id, None)
        if counts.post_id not in self.told_at:
            self.known[counts.post_id] = counts


class PostCountsFeed:
    """The counters of one process."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._watches: dict[int, set[_Watch]] = {}
        self._ready: dict[int, None] = {}
        self._later: list[tuple[float, int]] = []
        self._is_later: set[int] = set()
        self._read_at: dict[int, float] = {}
        self._unswept: list[int] = []
        self._sweep_at = 0.0
        self._rung = asyncio.Event()
        self._untaken: set[_Watch] = set()
        self._taken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="post-counts")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def ring(self, post_ids: Iterable[int] | None) -> None:
        """The counters of these posts have changed; None: nobody knows of which."""
        if post_ids is None:
            self._sweep_at = 0.0
            self._rung.set()
            return
        for post_id in post_ids:
            if post_id in self._watches:
                self._schedule(post_id)

    def hear(self, channel: str, message: bytes | None) -> None:
        """`ring`, as a listener of bells calls it."""
        if channel == POST_COUNTS:
            self.ring(None if message is None else unpack_ids(message))

    @property
    def watched_count(self) -> int:
        """Different posts that are watched."""
        return len(self._watches)

    async def watch(self, post_ids: Iterable[int], *, viewer_id: int | None) -> AsyncGenerator[PostCounts]:
        """The counters of those of the posts that the viewer may see, then again whenever they change. Never ends by itself.

        While PostgreSQL is away nothing comes.
        """
        watch = _Watch(viewer_id, frozenset(post_ids))
        for post_id in watch.post_ids:
            self._watches.setdefault(post_id, set()).add(watch)
            self._ready[post_id] = None
        self._rung.set()
        try:
            while True:
                await watch.is_rung.wait()
                watch.is_rung.clear()
                while (counts := self._take(watch)) is not None:
                    yield counts
        finally:
            for post_id in watch.post_ids:
                self._leave(post_id, watch)
            self._untaken.discard(watch)
            self._taken.set()

    def _take(self, watch: _Watch) -> PostCounts | None:
        now = asyncio.get_running_loop().time()
        if watch.drop_old(now) or watch.is_slow:
            watch.is_slow = False
            self._ready |= dict.fromkeys(watch.post_ids)
            self._rung.set()
        if not watch.news:
            self._untaken.discard(watch)
            self._taken.set()
            return None
        post_id = next(iter(watch.news))
        counts, _ = watch.news.pop(post_id)
        watch.known[post_id] = counts
        watch.told_at[post_id] = now
        return counts

    def _leave(self, post_id: int, watch: _Watch) -> None:
        watches = self._watches[post_id]
        watches.discard(watch)
        if not watches:
            del self._watches[post_id]
            self._read_at.pop(post_id, None)
            self._ready.pop(post_id, None)

    def _schedule(self, post_id: int) -> None:
        at = self._read_at.get(post_id, _LONG_AGO) + PAUSE_SECONDS
        if at <= asyncio.get_running_loop().time():
            self._ready[post_id] = None
        elif post_id not in self._is_later:
            self._is_later.add(post_id)
            heapq.heappush(self._later, (at, post_id))
        self._rung.set()

    async def _run(self) -> None:
        while True:
            await self._wait()
            try:
                if self._unswept:
                    await self._sweep()
                if self._ready:
                    await self._read()
                    await self._wait_until_taken()
            except UnavailableError:
                # Nothing is lost: whoever waits for the values still does.
                await asyncio.sleep(_RETRY_SECONDS)
            except Exception:
                log.exception("post_counts.failed")
                await asyncio.sleep(_RETRY_SECONDS)

    async def _wait(self) -> None:
        """Until there is something to read."""
        loop = asyncio.get_running_loop()
        while True:
            self._rung.clear()
            now = loop.time()
            while self._later and self._later[0][0] <= now:
                _, post_id = heapq.heappop(self._later)
                self._is_later.discard(post_id)
                if post_id in self._watches:
                    self._ready[post_id] = None
            if self._sweep_at <= now and not self._unswept:
                self._sweep_at = now + LOST_BELL_SECONDS
                self._unswept = list(self._watches)
            if self._ready or self._unswept:
                return
            until = min(self._sweep_at, self._later[0][0]) if self._later else self._sweep_at
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(until - now):
                    await self._rung.wait()

    async def _sweep(self) -> None:
        """Looks at the numbers alone of some of the watched posts, for those whose bell was lost."""
        swept = self._unswept[-SWEPT_POSTS:]
        async with self._backends.database.reading() as session:
            found = await load_counts(session, swept)
        del self._unswept[-SWEPT_POSTS:]
        for post_id, counts in found.items():
            if any(watch.known.get(post_id) != counts for watch in self._watches.get(post_id, ())):
                self._schedule(post_id)

    async def _read(self) -> None:
        """Tells the watchers of some posts what they have to be told."""
        now = asyncio.get_running_loop().time()
        post_ids = self._next_posts()
        for post_id in post_ids:
            del self._ready[post_id]
            self._read_at[post_id] = now
        try:
            async with self._backends.database.reading() as session:
                loaded = await load_posts_for_many(session, post_ids)
                counts = {post_id: facts.post.counts for post_id, facts in loaded.items()}
                waiting = self._choose_waiting(counts.values(), now)
                seeing = await find_watchers_who_see(
                    session, loaded, {post_id: {watch.viewer_id for watch in watches} for post_id, watches in waiting.items()}
                )
        except BaseException:
            self._ready |= dict.fromkeys(post_id for post_id in post_ids if post_id in self._watches)
            raise
        judged_at = asyncio.get_running_loop().time()
        for post_id, watches in waiting.items():
            for watch in watches & self._watches.get(post_id, set()):
                if watch.viewer_id in seeing[post_id]:
                    watch.offer(counts[post_id], judged_at)
                    self._untaken.add(watch)
                else:
                    watch.hide(counts[post_id])

    def _next_posts(self) -> list[int]:
        """Those that have waited longest, up to about BATCH_VALUES."""
        chosen: list[int] = []
        values = 0
        for post_id in islice(self._ready, BATCH_POSTS):
            chosen.append(post_id)
            values += len(self._watches[post_id])
            if values >= BATCH_VALUES:
                break
        return chosen

    def _choose_waiting(self, counts: Iterable[PostCounts], now: float) -> dict[int, set[_Watch]]:
        """Who is told now; posts of which others wait too are ready again at once."""
        left = BATCH_VALUES
        chosen: dict[int, set[_Watch]] = {}
        for one in counts:
            waiting = self._waiting_for(one, now)
            chosen[one.post_id] = told = set(islice(waiting, left))
            left -= len(told)
            if len(told) < len(waiting):
                self._ready[one.post_id] = None
        return chosen

    def _waiting_for(self, counts: PostCounts, now: float) -> set[_Watch]:
        """Those who do not know these values yet; who has heard of the post just now is left for the next time."""
        watches = self._watches.get(counts.post_id, ())
        new_to = {watch for watch in watches if watch.known.get(counts.post_id) != counts and not watch.is_slow}
        due = {watch for watch in new_to if watch.is_due(counts.post_id, now)}
        if len(due) < len(new_to):
            self._schedule(counts.post_id)
        return due

    async def _wait_until_taken(self) -> None:
        """All but a few. Whoever lets it grow old is slow, and is not waited for again."""
        try:
            async with asyncio.timeout(FRESH_SECONDS):
                while len(self._untaken) > FEW_WATCHERS:
                    self._taken.clear()
                    await self._taken.wait()
        except TimeoutError:
            for watch in self._untaken:
                watch.is_slow = True
            self._untaken.clear()
