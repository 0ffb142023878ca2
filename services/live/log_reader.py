"""Reads the event logs of everybody who is connected, and notes for each watcher which rows of the outbox concern it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from db.live_events import load_suspended_since
from domain.event_log import LogEntry, LogPosition
from live.event_logs import EventLogs
from services.backends import Backends
from services.feeds.feed_difference import find_concerned
from services.live.registry import Registry
from services.live.watcher import Watcher

VIEWERS_AT_A_TIME = 1_000
ENTRIES_AT_A_TIME = 200


class LogReader:
    """`on_lost`: a watcher's log can no longer be gone along with; `on_other_logs`: nobody's can.

    Methods raise CacheUnavailableError and UnavailableError; then nobody's place has moved beyond what was noted.
    """

    def __init__(
        self,
        backends: Backends,
        logs: EventLogs,
        registry: Registry,
        *,
        on_lost: Callable[[Watcher], None],
        on_other_logs: Callable[[], None],
        on_suspended: Callable[[Collection[int]], None],
    ) -> None:
        self._backends = backends
        self._logs = logs
        self._registry = registry
        self._on_lost = on_lost
        self._on_other_logs = on_other_logs
        self._on_suspended = on_suspended

    async def read(self, viewer_ids: Iterable[int]) -> None:
        """Notes what is new in viewers' own logs, to their ends."""
        viewers = self._registry.viewers
        places = {viewer_id: viewers[viewer_id].end for viewer_id in viewer_ids if viewer_id in viewers}
        while places:
            reads = await self._logs.read(places, limit=ENTRIES_AT_A_TIME)
            if self._is_other_run():
                return
            unread: dict[int, LogPosition] = {}
            for viewer_id, read in reads.items():
                viewer = viewers.get(viewer_id)
                if viewer is None or viewer.end != places[viewer_id]:
                    continue
                if not read.is_whole:
                    for watcher in tuple(viewer.watchers):
                        self._on_lost(watcher)
                    continue
                self._registry.note(viewer, read.entries)
                viewer.end = read.end
                if len(read.entries) >= ENTRIES_AT_A_TIME:
                    unread[viewer_id] = read.end
            places = unread

    async def read_shared(self) -> None:
        """Notes what is new in the log for all, to its end, for those whom it concerns."""
        registry = self._registry
        while registry.shared_end is not None and registry.viewers:
            begin = registry.shared_end
            read = await self._logs.read_shared(begin, limit=ENTRIES_AT_A_TIME)
            if self._is_other_run():
                return
            if not read.is_whole:
                self._on_other_logs()
                return
            if not read.entries:
                return
            if any(not entry.is_publication for entry in read.entries):
                await self.find_suspended(since=min(entry.transaction_id for entry in read.entries))
            await self.note_concerned(read.entries)
            if registry.shared_end == begin:
                registry.shared_end = read.end

    async def note_concerned(self, entries: Sequence[LogEntry]) -> None:
        """Notes rows for those connected whom they concern."""
        viewers = self._registry.viewers
        for viewer_id, named in (await self.find_concerned(entries, viewers)).items():
            viewer = viewers.get(viewer_id)
            if viewer is not None:
                self._registry.note(viewer, named)

    async def find_concerned(self, entries: Sequence[LogEntry], viewer_ids: Collection[int]) -> dict[int, list[LogEntry]]:
        """Entries of the log for all, by viewer."""
        if not entries or not viewer_ids:
            return {}
        async with self._backends.database.reading() as session:
            concerned = await find_concerned(session, [entry.event_id for entry in entries], list(viewer_ids))
        found: dict[int, list[LogEntry]] = {}
        for entry in entries:
            for viewer_id in concerned.get(entry.event_id, ()):
                found.setdefault(viewer_id, []).append(entry)
        return found

    def _is_other_run(self) -> bool:
        if self._logs.run_id == self._registry.run_id:
            return False
        self._on_other_logs()
        return True

    async def find_suspended(self, *, since: int) -> None:
        """Tells of accounts that have been suspended by this transaction or a later one."""
        async with self._backends.database.reading() as session:
            suspended = await load_suspended_since(session, since)
        if suspended:
            self._on_suspended(suspended)
