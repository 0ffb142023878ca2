"""Live notifications to everybody in this process who watches theirs.

One task reads for all watchers: those whose bell rang and who wait for more, a hundred at a time, and every few seconds it
looks whether a bell was lost. Whoever does not come for what was read is not read for again until they do; so a slow one
holds up nobody, and keeps nothing in memory but a few groups. Those that have waited are read and judged again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from itertools import islice

import structlog

from db.notifications import NotificationRow, load_newer, load_newest_places
from domain.errors import UnavailableError
from domain.event_log import unpack_ids
from domain.notifications import NotificationRecord
from live.channels import NOTIFICATIONS
from services.backends import Backends
from services.notifications.judge_groups import judge_groups

FRESH_SECONDS = 0.5
"""What has waited longer for its watcher is read and judged again: what is hidden must not be told."""
LOST_BELL_SECONDS = 5.0
BATCH_WATCHES = 100
BATCH_GROUPS = 20
"""Of one watcher at a time."""
SWEPT_VIEWERS = 1_000
_RETRY_SECONDS = 0.5

log = structlog.get_logger(__name__)


class _Watch:
    """What one subscription was told, and what waits for it."""

    __slots__ = ("has_more", "is_rung", "judged_at", "news", "told_to", "viewer_id")

    def __init__(self, viewer_id: int) -> None:
        self.viewer_id = viewer_id
        self.told_to: int | None = None
        """The last place that was told, or passed over as hidden; None until it is known where to begin."""
        self.news: deque[tuple[int, NotificationRecord | None]] = deque()
        self.judged_at = 0.0
        self.has_more = True
        """There may be more than was read: a bell has rung since, or there were more than are read at a time."""
        self.is_rung = asyncio.Event()

    def take(self, now: float) -> NotificationRecord | None:
        """The next group; None where nothing is left, or what is left has grown old."""
        if now - self.judged_at > FRESH_SECONDS and self.news:
            self.news.clear()
            self.has_more = True
        while self.news:
            self.told_to, record = self.news.popleft()
            if record is not None:
                return record
        return None


class NotificationFeed:
    """The watchers of one process."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._watches: dict[int, set[_Watch]] = {}
        self._ready: dict[_Watch, None] = {}
        """Who waits and may have something to hear."""
        self._unswept: list[int] = []
        self._sweep_at = 0.0
        self._rung = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="notifications")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def ring(self, recipient_ids: Iterable[int] | None) -> None:
        """These have something new; None: nobody knows who."""
        if recipient_ids is None:
            self._sweep_at = 0.0
            self._rung.set()
            return
        for recipient_id in recipient_ids:
            for watch in self._watches.get(recipient_id, ()):
                self._wake(watch)

    def hear(self, channel: str, message: bytes | None) -> None:
        """`ring`, as a listener of bells calls it."""
        if channel == NOTIFICATIONS:
            self.ring(None if message is None else unpack_ids(message))

    @property
    def watcher_count(self) -> int:
        return sum(len(watches) for watches in self._watches.values())

    async def watch(self, viewer_id: int) -> AsyncGenerator[NotificationRecord]:
        """The viewer's groups whenever somebody new joins one, as they are then: the same one comes again, the latest counts.

        From now on: who subscribes first and then asks for the list misses nothing. Never ends by itself; while PostgreSQL is
        away nothing comes.
        """
        watch = _Watch(viewer_id)
        self._watches.setdefault(viewer_id, set()).add(watch)
        self._wake(watch)
        loop = asyncio.get_running_loop()
        try:
            while True:
                watch.is_rung.clear()
                while (record := watch.take(loop.time())) is not None:
                    yield record
                if watch.has_more:
                    self._ready[watch] = None
                    self._rung.set()
                await watch.is_rung.wait()
        finally:
            self._ready.pop(watch, None)
            self._watches[viewer_id].discard(watch)
            if not self._watches[viewer_id]:
                del self._watches[viewer_id]

    def _wake(self, watch: _Watch) -> None:
        watch.has_more = True
        if not watch.news:
            self._ready[watch] = None
            self._rung.set()

    async def _run(self) -> None:
        while True:
            await self._wait()
            try:
                if self._unswept:
                    await self._sweep()
                if self._ready:
                    await self._read()
            except UnavailableError:
                # Nothing is lost: whoever waits still does.
                await asyncio.sleep(_RETRY_SECONDS)
            except Exception:
                log.exception("notifications.feed_failed")
                await asyncio.sleep(_RETRY_SECONDS)

    async def _wait(self) -> None:
        """Until there is something to read."""
        loop = asyncio.get_running_loop()
        while True:
            self._rung.clear()
            now = loop.time()
            if self._sweep_at <= now and not self._unswept:
                self._sweep_at = now + LOST_BELL_SECONDS
                self._unswept = list(self._watches)
            if self._ready or self._unswept:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._sweep_at - now):
                    await self._rung.wait()

    async def _sweep(self) -> None:
        """Looks for some of the viewers whether there is anything they were not told of."""
        swept = self._unswept[-SWEPT_VIEWERS:]
        async with self._backends.database.reading() as session:
            newest = await load_newest_places(session, swept)
        del self._unswept[-SWEPT_VIEWERS:]
        for viewer_id, place in newest.items():
            for watch in self._watches.get(viewer_id, ()):
                if watch.told_to is not None and place > watch.told_to:
                    self._wake(watch)

    async def _read(self) -> None:
        watches = list(islice(self._ready, BATCH_WATCHES))
        for watch in watches:
            del self._ready[watch]
            # A bell that rings while this is read is for the next time.
            watch.has_more = False
        try:
            async with self._backends.database.reading() as session:
                newcomers = {watch.viewer_id for watch in watches if watch.told_to is None}
                begin = await load_newest_places(session, newcomers) if newcomers else {}
                known = [watch for watch in watches if watch.told_to is not None]
                rows = await load_newer(session, [_place_of(watch) for watch in known], size=BATCH_GROUPS) if known else {}
                shown = await judge_groups(session, [row for found in rows.values() for row in found])
        except BaseException:
            for watch in watches:
                if watch in self._watches.get(watch.viewer_id, ()):
                    self._wake(watch)
            raise
        judged_at = asyncio.get_running_loop().time()
        for watch in watches:
            if watch.told_to is None:
                watch.told_to = begin[watch.viewer_id]
        for number, watch in enumerate(known):
            self._offer(watch, rows.get(number, []), shown, judged_at)

    def _offer(
        self, watch: _Watch, rows: Sequence[NotificationRow], shown: dict[int, NotificationRecord], judged_at: float
    ) -> None:
        if not rows:
            return
        watch.news.extend((row.place, shown.get(row.id)) for row in rows)
        watch.judged_at = judged_at
        watch.has_more = watch.has_more or len(rows) == BATCH_GROUPS
        watch.is_rung.set()


def _place_of(watch: _Watch) -> tuple[int, int]:
    assert watch.told_to is not None, "only asked for those who have begun"
    return watch.viewer_id, watch.told_to
