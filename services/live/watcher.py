"""One subscription to a viewer's feed, as the hub keeps it: how far it has been told, and what is still to be looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from itertools import islice
from typing import Protocol

from domain.errors import TidingsError
from domain.event_log import LogEntry, LogPlace, LogPosition
from domain.snapshots import Snapshot
from services.feeds.feed_cursors import Moment, moment_head, told_text
from services.feeds.wire_events import WireEvent
from services.live.checkpoint import Checkpoint

_UNKNOWN = (1 << 63) - 1
_NOTHING_SEEN = Snapshot(1, 1, frozenset())
_parse = lru_cache(1_024)(Snapshot.parse)
"""Thousands stand at the same moment."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LiveTarget(Protocol):
    """Who is told."""

    @property
    def wants_changes(self) -> bool:
        """Whether it is told everything that happens to the feed; otherwise publications alone."""

    @property
    def has_room(self) -> bool:
        """Whether it takes more now."""

    def take(self, events: Sequence[WireEvent]) -> None:
        """Is told, in this order. Returns at once."""

    def end(self, error: TidingsError) -> None:
        """Nothing more comes, by this error."""


class WatcherState(Enum):
    """JOINING: what it has missed is being found out. LIVE: follows its log. FULL: takes nothing now, its log waits."""

    JOINING = "joining"
    LIVE = "live"
    FULL = "full"
    CLOSED = "closed"


class Watcher:
    """A subscription's place in the viewer's history. There are thousands: what most do not need is None.

    It has been told everything that `seen` sees, and the rows `told` (outbox id by transaction) beyond it. `pending` is
    what its logs named and nobody has looked at yet; `place` where the logs stood before the first of that.
    """

    __slots__ = (
        "as_of",
        "head",
        "pending",
        "place",
        "resumed",
        "seen",
        "seen_text",
        "state",
        "target",
        "told",
        "told_last",
        "told_text",
        "viewer_id",
    )

    def __init__(self, viewer_id: int, target: LiveTarget, moment: Moment | None) -> None:
        self.viewer_id = viewer_id
        self.target = target
        self.state = WatcherState.JOINING
        self.pending: dict[int, LogEntry] | None = None
        self.place: LogPlace | None = None
        self.told: dict[int, int] = {}
        self.told_text, self.told_last = "", 0
        """The rows as cursors name them, and the last of them."""
        self.seen_text, self.seen = "", _NOTHING_SEEN
        self.as_of, self.head = _EPOCH, ""
        self.resumed = moment
        """Where it wants to go on from; None: from now on."""
        if moment is not None:
            self.stand_at(moment)

    def stand_at(self, moment: Moment, told: dict[int, int] | None = None) -> None:
        """It has been told everything up to the moment. `told`: the transactions of what the moment has told, where known."""
        if moment.seen != self.seen_text or moment.as_of != self.as_of:
            self.seen_text, self.seen, self.as_of = moment.seen, _parse(moment.seen), moment.as_of
            self.head = moment_head(moment)
        # Unknown transactions count as unseen: the row stays in the list until the next reading of PostgreSQL.
        self.set_told(told if told is not None else dict.fromkeys(moment.told, _UNKNOWN))

    def set_told(self, told: dict[int, int]) -> None:
        """It has been told these rows, and no others beyond its snapshot."""
        self.told = told
        self.told_text = told_text(list(told)) if told else ""
        self.told_last = next(reversed(told)) if told else 0

    def add_told(self, event_id: int, transaction: int) -> None:
        """It has been told one more row."""
        self.told[event_id] = transaction
        self.told_text = f"{self.told_text},{event_id - self.told_last}" if self.told_text else str(event_id)
        self.told_last = event_id

    def moment(self, logs: LogPlace | None = None) -> Moment:
        """How far it has been told."""
        return Moment(self.seen_text, self.as_of, frozenset(self.told), logs)

    def expect(self, entries: Iterable[LogEntry], before: LogPlace) -> None:
        """Notes what concerns it, but what it knows. `before`: the place of the logs in front of these entries."""
        for entry in entries:
            if entry.event_id in self.told or self.seen.sees(entry.transaction_id):
                continue
            if not entry.is_publication and not self.target.wants_changes:
                continue
            if self.pending is None:
                self.pending = {}
                self.place = self.place or before
            self.pending[entry.event_id] = entry

    def take_pending(self, size: int) -> dict[int, LogEntry]:
        """The first of what is pending; the rest stays."""
        pending = self.pending or {}
        if len(pending) <= size:
            self.pending = None
            return pending
        taken = dict(islice(pending.items(), size))
        self.pending = dict(islice(pending.items(), size, None))
        return taken

    def sort_out(self) -> bool:
        """Drops of what was noted before its moment was known what that has told; whether something is left to look at."""
        noted, self.pending = self.pending, None
        if noted and self.place is not None:
            self.expect(noted.values(), self.place)
        if not self.pending:
            self.place = None
        return bool(self.pending)

    def advance(self, checkpoint: Checkpoint, kept: Iterable[int], hidden: Collection[int]) -> None:
        """Everything that the checkpoint sees has been told, but what the transactions `hidden` wrote. `kept`: rows that stay
        noted as told all the same."""
        assert checkpoint.moment is not None, "nobody is moved to one that is none"
        known = {transaction for transaction in checkpoint.open if self.seen.sees(transaction)}
        if known or hidden:
            # Told by PostgreSQL before their fan-out: they must not become unseen again.
            self.seen = checkpoint.whole.without({*checkpoint.open, *hidden} - known)
            self.seen_text = str(self.seen)
        else:
            self.seen, self.seen_text = checkpoint.snapshot, checkpoint.moment.seen
        self.as_of = checkpoint.moment.as_of
        self.head = moment_head(self.moment())
        told = {event_id: transaction for event_id, transaction in self.told.items() if not self.seen.sees(transaction)}
        self.set_told(told | {event_id: self.told[event_id] for event_id in kept if event_id in self.told})


class ViewerLog:
    """How far the hub has read a viewer's own log, and for whom."""

    __slots__ = ("end", "watchers")

    def __init__(self, end: LogPosition) -> None:
        self.end = end
        self.watchers: list[Watcher] = []
