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
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

import structlog

from domain.errors import CacheUnavailableError, FeedResetError, UnavailableError
from domain.event_log import SHARED_BELL, VIEWERS_BELL, LogEntry, LogPlace, unpack_ids
from live.event_logs import EventLogs
from services.backends import Backends
from services.feeds.feed_cursors import Moment, open_moment, seal_moment
from services.feeds.feed_difference import find_differences
from services.feeds.wire_events import WireEvent
from services.live.joining import Joining
from services.live.log_reader import VIEWERS_AT_A_TIME, LogReader
from services.live.registry import Registry
from services.live.rounds import TICK_SECONDS, Rounds
from services.live.telling import look_for, tell, tell_plain, told_after
from services.live.watcher import LiveTarget, Watcher, WatcherState

GATHER_SECONDS = 0.002
"""Rings within this time are answered together."""
AT_A_TIME = 64
"""Rows that are told to a watcher in one go: about 50 kB, after which it is asked whether it has room for more."""
ALL = slice(None)
_RETRY_SECONDS = 0.5

log = structlog.get_logger(__name__)

Deliver = Callable[[Sequence[tuple[LiveTarget, Sequence[WireEvent]]]], Awaitable[None]]
"""Puts events where they belong; never raises for a single target. Targets without room cut their watcher short."""

LookedAt = tuple[dict[int, LogEntry], frozenset[int]]
"""What the logs named for a watcher, and the rows that it was told."""


async def take_all(deliveries: Sequence[tuple[LiveTarget, Sequence[WireEvent]]]) -> None:
    """Every target takes its events itself."""
    for target, events in deliveries:
        target.take(events)


class LiveHub:
    """`ring` is what the listener calls. `on_suspended` is told of accounts that have just been suspended."""

    def __init__(
        self,
        backends: Backends,
        logs: EventLogs,
        *,
        deliver: Deliver = take_all,
        on_suspended: Callable[[Collection[int]], None] = lambda _ids: None,
    ) -> None:
        self.backends = backends
        self.event_logs = logs
        self.deliver = deliver
        self.registry = Registry()
        self.reader = LogReader(
            backends,
            logs,
            self.registry,
            on_lost=self.rejoin,
            on_other_logs=self.start_over,
            on_suspended=on_suspended,
        )
        self._joining = Joining(self)
        self._rounds = Rounds(self)
        self._rung = asyncio.Event()
        self._rung_viewers: set[int] = set()
        self._is_shared_rung = False
        self._is_everything_rung = False
        self._next_tick_at = 0.0
        self._delivering: dict[Watcher, Moment] = {}
        """Whose events are on their way to the target: where they stood before."""
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

    # ------------------------------------------------------------------ for the listener and for subscriptions

    def ring(self, channel: str, payload: bytes | None) -> None:
        """Something may have happened: to these viewers, or None, to any of them."""
        if channel == VIEWERS_BELL and payload is None:
            self._is_everything_rung = True
        elif channel == VIEWERS_BELL:
            self._rung_viewers.update(unpack_ids(payload or b""))
        elif channel == SHARED_BELL:
            self._is_shared_rung = True
        else:
            return
        self._rung.set()

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
        self.registry.forget(watcher)

    def last_cursor(self, watcher: Watcher) -> str | None:
        """From where it can go on elsewhere; None where it has not got so far yet."""
        if watcher in self._delivering:
            moment = self._delivering[watcher]
        elif watcher.state is WatcherState.LIVE:
            moment = watcher.moment(watcher.place or self.registry.place_of(watcher))
        elif watcher.resumed is not None:
            moment = watcher.resumed
        else:
            return None
        return seal_moment(self.backends.sealer, watcher.viewer_id, moment)

    # ------------------------------------------------------------------ in and out of step

    def is_there(self, watcher: Watcher) -> None:
        """It has been told everything that it missed, and is following."""
        watcher.state = WatcherState.LIVE
        watcher.resumed = None
        if watcher.sort_out():
            self.registry.ready.add(watcher)
            self._rung.set()
        self.set_aside((watcher,))

    def rejoin(self, watcher: Watcher) -> None:
        """Back to the newcomers, with what it has been told."""
        self.registry.forget(watcher)
        if watcher.state is WatcherState.LIVE:
            watcher.state = WatcherState.JOINING
            watcher.resumed = watcher.moment()
            watcher.pending = watcher.place = None
            self._joining.add(watcher)

    def start_over(self) -> None:
        """The logs are not those that were read so far: everybody is brought up to date from PostgreSQL."""
        self.registry.shared_end = None
        for watcher in list(self.registry.watchers_of(tuple(self.registry.viewers))):
            self.rejoin(watcher)

    def set_aside(self, watchers: Iterable[Watcher]) -> None:
        """Whoever takes nothing more now leaves the logs alone until it does."""
        for watcher in watchers:
            if watcher.state is WatcherState.LIVE and not watcher.target.has_room:
                watcher.resumed = watcher.moment(watcher.place or self.registry.place_of(watcher))
                watcher.state = WatcherState.FULL
                watcher.pending = watcher.place = None
                self.registry.forget(watcher)

    def set_aside_joining(self, watcher: Watcher, logs: LogPlace | None) -> bool:
        """The same for one in the middle of what it missed; False where it has room. `logs`: where it began."""
        if watcher.target.has_room or watcher.state is not WatcherState.JOINING:
            return False
        watcher.resumed = watcher.moment(logs)
        watcher.state = WatcherState.FULL
        watcher.pending = watcher.place = None
        self.registry.forget(watcher)
        return True

    def cut_short(self, watcher: Watcher, cursor: str) -> None:
        """The target has taken events up to this one's cursor, and takes no more now: the rest is told when it does."""
        if watcher.state in (WatcherState.LIVE, WatcherState.JOINING):
            watcher.resumed = open_moment(self.backends.sealer, watcher.viewer_id, cursor)
            watcher.stand_at(watcher.resumed)
            watcher.state = WatcherState.FULL
            watcher.pending = watcher.place = None
            self.registry.forget(watcher)

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
                    await self._rounds.tick()
                await self._answer_rings()
            except CacheUnavailableError:
                # What the logs would have named is found in PostgreSQL until they are there again.
                self.start_over()
                await asyncio.sleep(_RETRY_SECONDS)
            except UnavailableError:
                # Nobody's place has moved: nothing is lost, only late.
                await self._pause()
            except Exception:
                log.exception("live.hub_failed")
                await self._pause()

    async def _pause(self) -> None:
        await asyncio.sleep(_RETRY_SECONDS)
        self._is_everything_rung = True
        self._rung.set()

    async def _answer_rings(self) -> None:
        everything, shared, rung = self._is_everything_rung, self._is_shared_rung, self._rung_viewers
        self._is_everything_rung, self._is_shared_rung, self._rung_viewers = False, False, set()
        viewers = self.registry.viewers
        if everything or shared:
            await self.reader.read_shared()
        viewer_ids = list(viewers) if everything else [viewer_id for viewer_id in rung if viewer_id in viewers]
        for start in range(0, len(viewer_ids), VIEWERS_AT_A_TIME):
            await self.reader.read(viewer_ids[start : start + VIEWERS_AT_A_TIME])
            await self.look()
        await self.look()

    async def look(self) -> dict[Watcher, LookedAt]:
        """Tells everybody what is noted for them. Returns for whom something was: what, and which rows they were told."""
        watchers = [watcher for watcher in self.registry.ready if watcher.pending]
        self.registry.ready.clear()
        named = [(watcher, watcher.take_pending(AT_A_TIME), watcher.moment(watcher.place)) for watcher in watchers]
        looks = [look_for(watcher, moment, entries) for watcher, entries, moment in named]
        try:
            differences = await find_differences(self.backends, looks) if looks else []
        except BaseException:
            for watcher, entries, _ in named:
                watcher.pending = entries | (watcher.pending or {})
                self.registry.ready.add(watcher)
            raise
        looked_at: dict[Watcher, LookedAt] = {}
        sealer = self.backends.sealer
        deliveries: list[tuple[LiveTarget, Sequence[WireEvent]]] = []
        for (watcher, entries, began), difference in zip(named, differences, strict=True):
            if watcher.state is not WatcherState.LIVE:
                continue
            # With more to look at, the logs count as read only as far as before all of it.
            place = self.registry.place_of(watcher) if not watcher.pending else began.logs
            if difference.is_plain:
                events = tell_plain(sealer, watcher, difference, ALL, before=began.logs, place=place)
                if len(events) < len(entries):
                    looked_at[watcher] = (entries, frozenset())
            else:
                try:
                    events = tell(sealer, watcher, difference, began=began, place=place)
                except FeedResetError as error:
                    self.leave(watcher)
                    watcher.target.end(error)
                    continue
                looked_at[watcher] = (entries, difference.reached.told - watcher.told.keys())
                watcher.stand_at(difference.reached, told_after(watcher, difference))
            if not watcher.pending:
                watcher.place = None
            else:
                self.registry.ready.add(watcher)
                self._rung.set()
            if events:
                deliveries.append((watcher.target, events))
        if deliveries:
            self._delivering = {watcher: began for watcher, _, began in named}
            try:
                await self.deliver(deliveries)
            finally:
                self._delivering = {}
            self.set_aside(watcher for watcher, _, _ in named)
        return looked_at
