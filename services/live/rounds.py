"""Now and then: each second a part of the viewers has its turn.

Their logs are looked at without any bell; their cursors are moved on, so that they stay short and young; and who watches
everything hears a beat.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from services.feeds.wire_events import Beat, WireEvent
from services.live.checkpoint import Checkpoint, read_checkpoint
from services.live.log_reader import VIEWERS_AT_A_TIME
from services.live.registry import SLOTS
from services.live.watcher import LiveTarget, Watcher, WatcherState

if TYPE_CHECKING:
    from services.live.hub import LiveHub, LookedAt

TICK_SECONDS = 1.0
POLL_TICKS = 5
"""Each log is looked at so often without a bell."""
LATE_SECONDS = 2.0
"""Rows that have waited so long for their fan-out are told from PostgreSQL: workers that stand still cost time, not events."""
MANY_TOLD = 48
"""With so many publications in its cursor, a watcher is moved on at the next tick."""
TOO_MANY_TOLD = 500
"""Far below the rows that are looked at for somebody who comes back: those count, too."""
RENEW_TICKS = SLOTS * 200


class Rounds:
    """What the hub does at each tick."""

    def __init__(self, hub: LiveHub) -> None:
        self._hub = hub
        self._tick = 0
        self._suspended_since = 0

    async def tick(self) -> None:
        """Raises CacheUnavailableError, UnavailableError."""
        self._tick += 1
        hub, registry = self._hub, self._hub.registry
        checkpoint = await read_checkpoint(hub.backends, late_seconds=LATE_SECONDS)
        # Sockets without any feed have an owner, too; and a worker that stands still must not keep anybody in.
        await hub.reader.find_suspended(since=self._suspended_since or checkpoint.whole.xmin)
        self._suspended_since = checkpoint.whole.xmin
        if not registry.viewers:
            return
        for watcher in registry.watchers_of(tuple(registry.viewers)):
            if len(watcher.told) > TOO_MANY_TOLD:
                # So many rows are open that nobody is moved on: read from PostgreSQL, they are told all the same.
                hub.rejoin(watcher)
        turn = tuple(registry.slots[self._tick % SLOTS])
        moved = {*turn, *(viewer_id for viewer_id in registry.viewers if self._is_long(viewer_id))}
        polled = moved.union(*registry.slots[self._tick % POLL_TICKS :: POLL_TICKS])
        if self._tick % RENEW_TICKS < SLOTS:
            await hub.event_logs.renew(turn)
        await hub.reader.read_shared()
        if checkpoint.late:
            await hub.reader.note_concerned(checkpoint.late)
        ids = list(polled)
        for start in range(0, len(ids), VIEWERS_AT_A_TIME):
            await hub.reader.read(ids[start : start + VIEWERS_AT_A_TIME])
        self._move(checkpoint, moved, await hub.look())
        await self._beat(turn)

    def _is_long(self, viewer_id: int) -> bool:
        return any(len(watcher.told) >= MANY_TOLD for watcher in self._hub.registry.viewers[viewer_id].watchers)

    def _move(self, checkpoint: Checkpoint, viewer_ids: Iterable[int], looked_at: Mapping[Watcher, LookedAt]) -> None:
        """Moves watchers on: all that the checkpoint sees was in the logs that have been read since.

        What they were told meanwhile, by newer facts than the checkpoint's, stays noted as told. Where they were told nothing
        for a row, that too was judged by newer facts: a publication stays noted as not told; with anything else the watcher
        stays where it is for now.
        """
        if checkpoint.moment is None:
            return
        for watcher in self._hub.registry.watchers_of(viewer_ids):
            if watcher.state is not WatcherState.LIVE or watcher.pending:
                continue
            named, told = looked_at.get(watcher, ({}, frozenset()))
            hidden = [entry for event_id, entry in named.items() if event_id not in watcher.told]
            if all(entry.is_publication for entry in hidden):
                watcher.advance(checkpoint, told, [entry.transaction_id for entry in hidden])

    async def _beat(self, viewer_ids: Iterable[int]) -> None:
        deliveries: list[tuple[LiveTarget, Sequence[WireEvent]]] = []
        for watcher in self._hub.registry.watchers_of(viewer_ids):
            if watcher.state is WatcherState.LIVE and watcher.target.wants_changes and watcher.target.has_room:
                cursor = self._hub.last_cursor(watcher)
                if cursor is not None:
                    deliveries.append((watcher.target, (Beat(cursor),)))
        if deliveries:
            await self._hub.deliver(deliveries)
