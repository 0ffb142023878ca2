"""The live side of one process: follows the event logs of everybody who is connected to it, for all of them together.

The bell says whose logs to look at; a lost bell costs seconds, since every log is looked at every five seconds anyway, and at
once whenever the listener has lost its connection. What the logs name is looked up for all viewers in a few statements
(`find_differences`) and handed to `deliver`. However many sockets there are, there are two tasks: one that goes along with the
logs, and one that brings newcomers to where the first one is (`joining.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from array import array
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

import structlog

from db.live_events import load_suspended_by
from domain.errors import CacheUnavailableError, FeedResetError, UnavailableError
from domain.event_log import LogEntry, LogPlace, LogPosition
from live import channels
from live.event_logs import EventLogs
from services.backends import Backends
from services.feeds.feed_cursors import Moment, seal_moment
from services.feeds.feed_difference import Look, find_concerned, find_differences
from services.feeds.wire_events import Beat, WireEvent
from services.live.checkpoint import Checkpoint, read_checkpoint
from services.live.joining import Joining
from services.live.telling import tell, told_after
from services.live.watcher import LiveTarget, ViewerLog, Watcher, WatcherState

GATHER_SECONDS = 0.002
"""Rings within this time are answered together."""
TICK_SECONDS = 1.0
POLL_TICKS = 5
"""Each log is looked at so often without any bell."""
BEAT_TICKS = 15
LATE_SECONDS = 2.0
"""Rows that have waited so long for their fan-out are told from PostgreSQL: workers that stand still cost time, not events."""
MANY_TOLD = 48
"""With so many publications in its cursor, a watcher is moved to the next checkpoint."""
RENEW_TICKS = BEAT_TICKS * 200
_READ_AT_A_TIME = 1_000
_ENTRIES_AT_A_TIME = 200
_RETRY_SECONDS = 0.5

log = structlog.get_logger(__name__)

Deliver = Callable[[Sequence[tuple[LiveTarget, Sequence[WireEvent]]]], Awaitable[None]]
"""Puts events where they belong; never raises for a single target."""


async def _take_all(deliveries: Sequence[tuple[LiveTarget, Sequence[WireEvent]]]) -> None:
    for target, events in deliveries:
        target.take(events)


class LiveHub:
    """`ring` is what the listener calls. `on_suspended`: told of accounts that are suspended, among those connected."""

    def __init__(
        self,
        backends: Backends,
        logs: EventLogs,
        *,
        deliver: Deliver = _take_all,
        on_suspended: Callable[[Collection[int]], None] = lambda _ids: None,
    ) -> None:
        self.backends = backends
        self.event_logs = logs
        self.deliver = deliver
        self._on_suspended = on_suspended
        self.viewers: dict[int, ViewerLog] = {}
        self.run_id = ""
        self.shared_end: LogPosition | None = None
        self._rung = asyncio.Event()
        self._rung_viewers: set[int] = set()
        self._is_shared_rung = False
        self._is_everything_rung = False
        self._ready: set[Watcher] = set()
        self._tick = 0
        self._next_tick_at = 0.0
        self._slots: list[set[int]] = [set() for _ in range(BEAT_TICKS)]
        self._joining = Joining(self)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._run(), name="live-hub"),
            loop.create_task(self._joining.run(), name="live-joining"),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def ring(self, channel: str, payload: bytes | None) -> None:
        """Something may have happened; None: anything."""
        if payload is None:
            self._is_everything_rung = True
        elif channel == channels.VIEWERS:
            if len(payload) % 8 == 0:
                self._rung_viewers.update(array("q", payload))
        elif channel == channels.SHARED:
            self._is_shared_rung = True
        else:
            return
        self._rung.set()

    @property
    def watcher_count(self) -> int:
        return sum(len(log.watchers) for log in self.viewers.values())

    def join(self, viewer_id: int, target: LiveTarget, moment: Moment | None) -> Watcher:
        """Begins to tell the target what happens after the moment (None: from now on). Returns at once."""
        watcher = Watcher(viewer_id, target, moment)
        self._joining.add(watcher)
        return watcher

    def go_on(self, watcher: Watcher) -> None:
        """The target has room again."""
        if watcher.state is WatcherState.FULL:
            watcher.state = WatcherState.JOINING
            self._joining.add(watcher)

    def leave(self, watcher: Watcher) -> None:
        """Nothing more for this one."""
        watcher.state = WatcherState.CLOSED
        self.forget(watcher)

    def last_cursor(self, watcher: Watcher) -> str | None:
        """From where it can go on elsewhere; None where it has not got so far yet."""
        if watcher.state is WatcherState.JOINING and watcher.resumed is None:
            return None
        place = watcher.place or (self.place_of(watcher) if watcher.state is WatcherState.LIVE else None)
        return seal_moment(self.backends.sealer, watcher.viewer_id, watcher.moment(place))

    # ------------------------------------------------------------------ what `joining.py` needs

    def place_of(self, watcher: Watcher) -> LogPlace | None:
        """How far the logs have been read for its viewer."""
        viewer = self.viewers.get(watcher.viewer_id)
        if viewer is None or self.shared_end is None:
            return None
        return LogPlace(self.run_id, viewer.end, self.shared_end)

    def follow(self, watcher: Watcher, end: LogPosition) -> None:
        """From now on what its logs name is noted for it. `end`: of the viewer's log, where it has just been opened."""
        viewer = self.viewers.get(watcher.viewer_id)
        if viewer is None:
            viewer = self.viewers[watcher.viewer_id] = ViewerLog(end)
            self._slots[watcher.viewer_id % BEAT_TICKS].add(watcher.viewer_id)
        if watcher not in viewer.watchers:
            viewer.watchers.append(watcher)
        # Whatever is noted from here on stands behind this place.
        watcher.place = self.place_of(watcher)

    def is_following(self, watcher: Watcher) -> bool:
        """Whether what its logs name is noted for it."""
        viewer = self.viewers.get(watcher.viewer_id)
        return viewer is not None and watcher in viewer.watchers

    def forget(self, watcher: Watcher) -> None:
        """Nothing is noted for it any more."""
        self._ready.discard(watcher)
        viewer = self.viewers.get(watcher.viewer_id)
        if viewer is None or watcher not in viewer.watchers:
            return
        viewer.watchers.remove(watcher)
        if not viewer.watchers:
            del self.viewers[watcher.viewer_id]
            self._slots[watcher.viewer_id % BEAT_TICKS].discard(watcher.viewer_id)

    def is_there(self, watcher: Watcher) -> None:
        """It has been told everything that it missed."""
        watcher.state = WatcherState.LIVE
        watcher.resumed = None
        if watcher.sort_out():
            self._ready.add(watcher)
            self._rung.set()

    def start_over(self) -> None:
        """The logs are not those that were read so far: everybody is brought up to date from PostgreSQL."""
        watchers = [watcher for viewer in self.viewers.values() for watcher in viewer.watchers]
        self.shared_end = None
        for watcher in watchers:
            self.rejoin(watcher)

    def rejoin(self, watcher: Watcher) -> None:
        """Back to the newcomers, with what it has been told."""
        self.forget(watcher)
        if watcher.state is WatcherState.LIVE:
            watcher.state = WatcherState.JOINING
            watcher.resumed = watcher.moment()
            watcher.pending = watcher.place = None
            self._joining.add(watcher)

    async def find_concerned(self, entries: Sequence[LogEntry], viewer_ids: Collection[int]) -> dict[int, list[LogEntry]]:
        """Entries of the shared log by viewer. Raises UnavailableError."""
        if not entries or not viewer_ids:
            return {}
        async with self.backends.database.reading() as session:
            concerned = await find_concerned(session, [entry.event_id for entry in entries], list(viewer_ids))
        found: dict[int, list[LogEntry]] = {}
        for entry in entries:
            for viewer_id in concerned.get(entry.event_id, ()):
                found.setdefault(viewer_id, []).append(entry)
        return found

    # ------------------------------------------------------------------ going along

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._next_tick_at - time.monotonic())):
                    await self._rung.wait()
                await asyncio.sleep(GATHER_SECONDS)
            self._rung.clear()
            try:
                if time.monotonic() >= self._next_tick_at:
                    self._next_tick_at = time.monotonic() + TICK_SECONDS
                    await self._go_through_slots()
                await self._answer_rings()
            except CacheUnavailableError:
                # What the logs would have named is found in PostgreSQL until they are there again.
                self.start_over()
                await asyncio.sleep(_RETRY_SECONDS)
            except UnavailableError:
                # Nobody's place has moved: nothing is lost, only late.
                await asyncio.sleep(_RETRY_SECONDS)
                self._is_everything_rung = True
                self._rung.set()
            except Exception:
                log.exception("live.hub_failed")
                await asyncio.sleep(_RETRY_SECONDS)
                self._is_everything_rung = True
                self._rung.set()

    async def _answer_rings(self) -> None:
        everything, shared, rung = self._is_everything_rung, self._is_shared_rung, self._rung_viewers
        self._is_everything_rung, self._is_shared_rung, self._rung_viewers = False, False, set()
        viewer_ids = list(self.viewers) if everything else [viewer_id for viewer_id in rung if viewer_id in self.viewers]
        try:
            if everything or shared:
                await self._read_shared()
            for start in range(0, len(viewer_ids), _READ_AT_A_TIME):
                await self._read(viewer_ids[start : start + _READ_AT_A_TIME])
                await self._look()
        except UnavailableError:
            self._rung_viewers |= rung
            self._is_shared_rung |= shared
            raise
        await self._look()

    async def _read(self, viewer_ids: Iterable[int]) -> None:
        """Notes what is new in viewers' own logs, to their ends."""
        places = {viewer_id: self.viewers[viewer_id].end for viewer_id in viewer_ids if viewer_id in self.viewers}
        while places:
            reads = await self.event_logs.read(places, limit=_ENTRIES_AT_A_TIME)
            if self._has_other_run():
                return
            unread: dict[int, LogPosition] = {}
            for viewer_id, read in reads.items():
                viewer = self.viewers.get(viewer_id)
                if viewer is None or viewer.end != places[viewer_id]:
                    continue
                if not read.is_whole:
                    for watcher in list(viewer.watchers):
                        self.rejoin(watcher)
                    continue
                self._note(viewer, read.entries)
                viewer.end = read.end
                if len(read.entries) >= _ENTRIES_AT_A_TIME:
                    unread[viewer_id] = read.end
            places = unread

    async def _read_shared(self) -> None:
        """Notes what is new in the log for all, for those whom it concerns."""
        while self.shared_end is not None and self.viewers:
            begin = self.shared_end
            read = await self.event_logs.read_shared(begin, limit=_ENTRIES_AT_A_TIME)
            if self._has_other_run():
                return
            if not read.is_whole:
                self.start_over()
                return
            if not read.entries:
                return
            await self._note_concerned(read.entries)
            if self.shared_end == begin:
                self.shared_end = read.end
            await self._find_suspended([entry.event_id for entry in read.entries if not entry.is_publication])

    async def _note_concerned(self, entries: Sequence[LogEntry]) -> None:
        concerned = await self.find_concerned(entries, self.viewers)
        for viewer_id, named in concerned.items():
            viewer = self.viewers.get(viewer_id)
            if viewer is not None:
                self._note(viewer, named)

    def _note(self, viewer: ViewerLog, entries: Sequence[LogEntry]) -> None:
        assert self.shared_end is not None, "set before anybody follows"
        before = LogPlace(self.run_id, viewer.end, self.shared_end)
        for watcher in viewer.watchers:
            watcher.expect(entries, before)
            if watcher.pending and watcher.state is WatcherState.LIVE:
                self._ready.add(watcher)

    def _has_other_run(self) -> bool:
        if self.event_logs.run_id == self.run_id:
            return False
        self.start_over()
        return True

    async def _find_suspended(self, event_ids: Collection[int]) -> None:
        if not event_ids:
            return
        async with self.backends.database.reading() as session:
            suspended = await load_suspended_by(session, event_ids)
        if suspended:
            self._on_suspended(suspended)

    async def _look(self) -> tuple[set[Watcher], dict[Watcher, set[int]]]:
        """Tells everybody what the logs have named: who was told more than publications, and who which of these."""
        watchers = [watcher for watcher in self._ready if watcher.pending]
        self._ready.clear()
        named = [(watcher, watcher.pending or {}) for watcher in watchers]
        for watcher in watchers:
            watcher.pending = None
        looks = [Look(watcher.viewer_id, watcher.moment(), entries) for watcher, entries in named]
        try:
            differences = await find_differences(self.backends, looks) if looks else []
        except BaseException:
            for watcher, entries in named:
                watcher.pending = entries | (watcher.pending or {})
                self._ready.add(watcher)
            raise
        unsteady: set[Watcher] = set()
        published: dict[Watcher, set[int]] = {}
        deliveries: list[tuple[LiveTarget, Sequence[WireEvent]]] = []
        for (watcher, entries), difference in zip(named, differences, strict=True):
            if watcher.state is not WatcherState.LIVE:
                continue
            try:
                place = self.place_of(watcher)
                began = watcher.moment(watcher.place)
                events = tell(self.backends.sealer, watcher, difference, began=began, place=place)
            except FeedResetError as error:
                self.leave(watcher)
                watcher.target.end(error)
                continue
            published[watcher] = set(difference.reached.told) - watcher.told.keys()
            if len(published[watcher]) != len(entries):
                unsteady.add(watcher)
            transactions = {event_id: entry.transaction_id for event_id, entry in entries.items()}
            watcher.stand_at(difference.reached, told_after(watcher, difference, transactions))
            if not watcher.pending:
                watcher.place = None
            if events:
                deliveries.append((watcher.target, events))
        if deliveries:
            await self.deliver(deliveries)
            self._set_aside(watcher for watcher, _ in named)
        return unsteady, published

    def _set_aside(self, watchers: Iterable[Watcher]) -> None:
        """Whoever takes nothing more now leaves the logs alone until it does."""
        for watcher in watchers:
            if watcher.state is WatcherState.LIVE and not watcher.target.has_room:
                watcher.resumed = watcher.moment(watcher.place or self.place_of(watcher))
                watcher.state = WatcherState.FULL
                watcher.pending = watcher.place = None
                self.forget(watcher)

    # ------------------------------------------------------------------ now and then

    async def _go_through_slots(self) -> None:
        """Each second a part of the viewers: looks at their logs without a bell, moves their cursors, lets them hear a beat."""
        self._tick += 1
        if not self.viewers:
            return
        checkpoint = await read_checkpoint(self.backends, late_seconds=LATE_SECONDS)
        beating = self._slots[self._tick % BEAT_TICKS]
        polled = {viewer_id for slot in self._slots[self._tick % POLL_TICKS :: POLL_TICKS] for viewer_id in slot} | beating
        moved = beating | {viewer_id for viewer_id, viewer in self.viewers.items() if _is_long(viewer)}
        if self._tick % RENEW_TICKS < BEAT_TICKS:
            await self.event_logs.renew(beating)
        await self._read_shared()
        if checkpoint.late:
            await self._note_concerned(checkpoint.late)
        ids = list(polled | moved)
        for start in range(0, len(ids), _READ_AT_A_TIME):
            await self._read(ids[start : start + _READ_AT_A_TIME])
        unsteady, published = await self._look()
        self._advance(checkpoint, moved, unsteady, published)
        await self._beat(beating)

    def _advance(
        self,
        checkpoint: Checkpoint,
        viewer_ids: Iterable[int],
        unsteady: Collection[Watcher],
        published: dict[Watcher, set[int]],
    ) -> None:
        """Moves watchers on: all that the checkpoint sees was in the logs that have been read since.

        But not those who were told by newer facts than the checkpoint's that something is not there, or no longer: only with
        their old snapshot is it known what they have. What they were shown is kept as told.
        """
        if checkpoint.moment is None:
            return
        for viewer_id in viewer_ids:
            viewer = self.viewers.get(viewer_id)
            for watcher in viewer.watchers if viewer is not None else ():
                if watcher.state is WatcherState.LIVE and not watcher.pending and watcher not in unsteady:
                    watcher.advance(checkpoint.moment, checkpoint.snapshot, published.get(watcher, ()))

    async def _beat(self, viewer_ids: Iterable[int]) -> None:
        deliveries: list[tuple[LiveTarget, Sequence[WireEvent]]] = []
        for viewer_id in viewer_ids:
            viewer = self.viewers.get(viewer_id)
            for watcher in viewer.watchers if viewer is not None else ():
                if watcher.state is WatcherState.LIVE and watcher.target.wants_changes and watcher.target.has_room:
                    cursor = self.last_cursor(watcher)
                    if cursor is not None:
                        deliveries.append((watcher.target, (Beat(cursor),)))
        if deliveries:
            await self.deliver(deliveries)


def _is_long(viewer: ViewerLog) -> bool:
    return any(len(watcher.told) >= MANY_TOLD for watcher in viewer.watchers)
