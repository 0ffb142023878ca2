"""Newcomers, and whoever has fallen out of step, are brought to where the hub is: some at a time, so that thousands who come
back at once neither wait for each other nor take the database away from requests.

First their logs are followed, then it is found out what they have missed: what happens in between comes twice and is dropped,
but is never missing. A cursor of the server's present run is answered from the logs, mostly without a row of the database; any
other one from PostgreSQL.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from db.live_events import load_transactions, take_moment
from domain.errors import CacheUnavailableError, FeedResetError, UnavailableError
from domain.event_log import LogEntry, LogPlace
from domain.snapshots import Snapshot
from services.feeds.feed_cursors import Moment
from services.feeds.feed_difference import Difference, find_differences
from services.feeds.wire_events import WireEvent
from services.live.telling import look_for, tell, tell_plain, told_after
from services.live.watcher import LiveTarget, Watcher, WatcherState

if TYPE_CHECKING:
    from services.live.hub import LiveHub

AT_A_TIME = 100
TOLD_AT_A_TIME = 64
"""Missed publications that are told in one go: about 50 kB, after which it is asked whether there is room for more."""
_MAX_NAMED = 500
"""Entries of a log that are gone through for a newcomer; who has missed more is answered from PostgreSQL."""
_RECENT = timedelta(hours=24)
"""As long as logs live."""
_RETRY_SECONDS = 0.5
_PAUSE_SECONDS = 0.1
_BLIND_SECONDS = 2.0
"""Without logs, PostgreSQL is asked so often what has happened."""

log = structlog.get_logger(__name__)


class Joining:
    """Those who are not there yet, in the order in which they came."""

    def __init__(self, hub: LiveHub) -> None:
        self._hub = hub
        self._waiting: deque[Watcher] = deque()
        self._arrived = asyncio.Event()

    def add(self, watcher: Watcher) -> None:
        self._waiting.append(watcher)
        self._arrived.set()

    async def run(self) -> None:
        while True:
            await self._arrived.wait()
            batch = self._take()
            if not batch:
                self._arrived.clear()
                continue
            try:
                await self._bring(batch)
            except UnavailableError:
                self._again(batch, _RETRY_SECONDS)
                await asyncio.sleep(_PAUSE_SECONDS)
            except Exception:
                log.exception("live.joining_failed")
                self._again(batch, _RETRY_SECONDS)

    def _take(self) -> list[Watcher]:
        batch: dict[Watcher, None] = {}
        while self._waiting and len(batch) < AT_A_TIME:
            watcher = self._waiting.popleft()
            if watcher.state is WatcherState.JOINING:
                batch[watcher] = None
        return list(batch)

    def _again(self, batch: Sequence[Watcher], seconds: float) -> None:
        for watcher in batch:
            if watcher.state is WatcherState.JOINING:
                self._hub.registry.forget(watcher)
                watcher.pending = watcher.place = None
                asyncio.get_running_loop().call_later(seconds, self.add, watcher)

    async def _bring(self, batch: Sequence[Watcher]) -> None:
        try:
            await self._follow(batch)
            has_logs = True
        except CacheUnavailableError:
            has_logs = False
        async with self._hub.backends.database.reading() as session:
            now = Moment(*await take_moment(session))
        try:
            named = await self._named_by_logs(batch, now) if has_logs else {}
        except CacheUnavailableError:
            named, has_logs = {}, False
        for watcher in batch:
            if watcher.resumed is None:
                watcher.stand_at(now)
        missed = [watcher for watcher in batch if watcher.resumed is not None and watcher.state is WatcherState.JOINING]
        await self._tell_missed(missed, named)
        for watcher in batch:
            if watcher.state is not WatcherState.JOINING:
                continue
            # A log may have been lost, or Redis have restarted, while PostgreSQL was asked.
            if has_logs and self._hub.registry.is_following(watcher):
                self._hub.is_there(watcher)
            else:
                watcher.resumed = watcher.moment()
        blind = [watcher for watcher in batch if watcher.state is WatcherState.JOINING]
        if blind:
            self._again(blind, _RETRY_SECONDS if has_logs else _BLIND_SECONDS)

    async def _follow(self, batch: Sequence[Watcher]) -> None:
        """Raises CacheUnavailableError."""
        registry, logs = self._hub.registry, self._hub.event_logs
        ends = await logs.open({watcher.viewer_id for watcher in batch})
        run_id = logs.run_id
        shared_end = await logs.shared_end()
        if logs.run_id != run_id:
            raise CacheUnavailableError("Redis has restarted")
        if registry.run_id != run_id:
            registry.run_id = run_id
            self._hub.start_over()
        if registry.shared_end is None:
            registry.shared_end = shared_end
        for watcher in batch:
            # It may have left meanwhile.
            if watcher.state is WatcherState.JOINING:
                registry.follow(watcher, ends[watcher.viewer_id])

    async def _named_by_logs(self, batch: Sequence[Watcher], now: Moment) -> dict[Watcher, Collection[int]]:
        """What the logs name, for those of whom they know everything since their cursors. Raises CacheUnavailableError."""
        hub = self._hub
        places: dict[Watcher, LogPlace] = {}
        seen: set[int] = set()
        end = Snapshot.parse(now.seen).xmax
        for watcher in batch:
            place = watcher.resumed.logs if watcher.resumed is not None else None
            is_known = place is not None and place.run_id == hub.registry.run_id
            # From the future, that is from another database, or from too long ago: PostgreSQL says what is to be done.
            is_known = is_known and watcher.seen.xmax <= end and now.as_of - watcher.as_of < _RECENT
            # One place a viewer is read at a time; another socket of the same viewer is answered from PostgreSQL.
            if place is not None and is_known and watcher.viewer_id not in seen:
                seen.add(watcher.viewer_id)
                places[watcher] = place
        if not places:
            return {}
        own_places = {watcher.viewer_id: place.own for watcher, place in places.items()}
        reads = await hub.event_logs.read(own_places, limit=_MAX_NAMED)
        shared = await hub.event_logs.read_shared(min(place.shared for place in places.values()), limit=_MAX_NAMED)
        if hub.event_logs.run_id != hub.registry.run_id or not shared.is_whole or len(shared.entries) >= _MAX_NAMED:
            return {}
        concerned: Mapping[int, list[LogEntry]] = await hub.reader.find_concerned(shared.entries, {w.viewer_id for w in places})
        named: dict[Watcher, Collection[int]] = {}
        for watcher in places:
            own = reads.get(watcher.viewer_id)
            if own is not None and (not own.is_whole or len(own.entries) >= _MAX_NAMED):
                continue
            entries = [*(own.entries if own is not None else ()), *concerned.get(watcher.viewer_id, ())]
            named[watcher] = {
                entry.event_id
                for entry in entries
                if not (entry.event_id in watcher.told or watcher.seen.sees(entry.transaction_id))
                and (entry.is_publication or watcher.target.wants_changes)
            }
        return named

    async def _tell_missed(self, watchers: Sequence[Watcher], named: Mapping[Watcher, Collection[int]]) -> None:
        hub = self._hub
        asked = [watcher for watcher in watchers if watcher not in named or named[watcher]]
        looks = [look_for(watcher, watcher.moment(), named.get(watcher)) for watcher in asked]
        differences = await find_differences(hub.backends, looks) if looks else []
        await self._learn_transactions(watchers)
        going = [
            (watcher, difference, watcher.moment(watcher.resumed.logs if watcher.resumed is not None else None))
            for watcher, difference in zip(asked, differences, strict=True)
        ]
        start = 0
        while going:
            deliveries: list[tuple[LiveTarget, Sequence[WireEvent]]] = []
            left: list[tuple[Watcher, Difference, Moment]] = []
            for watcher, difference, began in going:
                if watcher.state is WatcherState.JOINING:
                    events = self._next_events(watcher, difference, began, start)
                    if events:
                        deliveries.append((watcher.target, events))
                    if difference.is_plain and start + TOLD_AT_A_TIME < len(difference.changes):
                        left.append((watcher, difference, began))
            if deliveries:
                await hub.deliver(deliveries)
            # A last word stands behind what was put, and not behind what comes next.
            waiting = {watcher for watcher, _, _ in left}
            for watcher, _, began in going:
                if watcher.state is WatcherState.JOINING:
                    watcher.resumed = watcher.moment(began.logs if watcher in waiting else watcher.place)
            # Who takes no more is not told more: it comes back when it does.
            going = [one for one in left if not hub.set_aside_joining(one[0], one[2].logs)]
            start += TOLD_AT_A_TIME
        for watcher in watchers:
            if watcher.state is WatcherState.JOINING and watcher.resumed is not None:
                watcher.resumed = watcher.moment(watcher.place)

    def _next_events(self, watcher: Watcher, difference: Difference, began: Moment, start: int) -> list[WireEvent]:
        hub = self._hub
        sealer = hub.backends.sealer
        if difference.is_plain:
            part = slice(start, start + TOLD_AT_A_TIME)
            return tell_plain(sealer, watcher, difference, part, before=began.logs, place=watcher.place)
        try:
            events = tell(sealer, watcher, difference, began=began, place=watcher.place)
        except FeedResetError as error:
            hub.leave(watcher)
            watcher.target.end(error)
            return []
        watcher.stand_at(difference.reached, told_after(watcher, difference))
        return events

    async def _learn_transactions(self, watchers: Sequence[Watcher]) -> None:
        """Of the rows that cursors name as told. Rows that are gone are so old that nothing names them any more."""
        known = {event_id for watcher in watchers for event_id in watcher.told}
        if not known:
            return
        async with self._hub.backends.database.reading() as session:
            transactions = await load_transactions(session, known)
        for watcher in watchers:
            if watcher.told:
                watcher.set_told({row: transactions[row] for row in watcher.told if row in transactions})
