"""Who is connected to this process, how far their logs have been read, and what is noted for whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from domain.event_log import LogEntry, LogPlace, LogPosition
from services.live.watcher import ViewerLog, Watcher, WatcherState

SLOTS = 15
"""Viewers are spread over so many slots; each second one of them has its turn."""


class Registry:
    """Plain state, changed between two awaits. `run_id`: the server's run that all positions belong to."""

    def __init__(self) -> None:
        self.viewers: dict[int, ViewerLog] = {}
        self.slots: list[set[int]] = [set() for _ in range(SLOTS)]
        self.run_id = ""
        self.shared_end: LogPosition | None = None
        """How far the log for all has been read; None before anybody follows."""
        self.ready: set[Watcher] = set()
        """Live watchers for whom something is noted."""

    def __len__(self) -> int:
        return sum(len(log.watchers) for log in self.viewers.values())

    def watchers_of(self, viewer_ids: Iterable[int]) -> Iterator[Watcher]:
        """All that follow these viewers' logs."""
        for viewer_id in viewer_ids:
            viewer = self.viewers.get(viewer_id)
            if viewer is not None:
                yield from tuple(viewer.watchers)

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
            self.slots[watcher.viewer_id % SLOTS].add(watcher.viewer_id)
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
        self.ready.discard(watcher)
        viewer = self.viewers.get(watcher.viewer_id)
        if viewer is None or watcher not in viewer.watchers:
            return
        viewer.watchers.remove(watcher)
        if not viewer.watchers:
            del self.viewers[watcher.viewer_id]
            self.slots[watcher.viewer_id % SLOTS].discard(watcher.viewer_id)

    def note(self, viewer: ViewerLog, entries: Sequence[LogEntry]) -> None:
        """The viewer's logs name these rows. Called before their ends are moved."""
        assert self.shared_end is not None, "set before anybody follows"
        before = LogPlace(self.run_id, viewer.end, self.shared_end)
        for watcher in viewer.watchers:
            watcher.expect(entries, before)
            if watcher.pending and watcher.state is WatcherState.LIVE:
                self.ready.add(watcher)
