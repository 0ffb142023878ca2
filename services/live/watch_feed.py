"""Use cases: what happens to the viewer's home feed as a stream, and what was missed as a list."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from domain.errors import InvalidArgumentError, TidingsError
from services.backends import Backends
from services.feeds.feed_cursors import FeedPlace, Moment, open_moment, seal_moment, seal_place
from services.feeds.feed_difference import Look, find_differences
from services.feeds.feed_events import FeedChange, FeedResetReason
from services.feeds.wire_events import MissedEvents, NewPost, ResetFeed, WireEvent
from services.live.hub import LiveHub
from services.live.telling import behind, wire_event

MAX_MISSED = 100
"""Events in one answer."""
_MAX_WAITING = 64
JUDGED_SECONDS = 0.5
"""Age at which what waits for its reader is too old: live events promise to hide within a second what is hidden."""


class _Mailbox:
    """A target that is read by a generator."""

    def __init__(self, *, wants_changes: bool) -> None:
        self.wants_changes = wants_changes
        self.error: TidingsError | None = None
        self.arrived = asyncio.Event()
        self.arrived_at = 0.0
        self.events: deque[WireEvent] = deque()

    @property
    def has_room(self) -> bool:
        return len(self.events) < _MAX_WAITING

    def take(self, events: Sequence[WireEvent]) -> None:
        self.arrived_at = time.monotonic()
        self.events.extend(events)
        self.arrived.set()

    def end(self, error: TidingsError) -> None:
        self.error = error
        self.arrived.set()


async def watch_feed_events(
    backends: Backends, hub: LiveHub, *, viewer_id: int, after: str | None, wants_changes: bool = True
) -> AsyncGenerator[WireEvent, None]:
    """Everything that happens to the feed, or publications alone. Ends only when the caller stops; holds no connection.

    Raises InvalidCursorError; where `wants_changes` is False, FeedResetError.
    """
    moment = open_moment(backends.sealer, viewer_id, after) if after is not None else None
    mailbox = _Mailbox(wants_changes=wants_changes)
    watcher = hub.join(viewer_id, mailbox, moment)
    try:
        while True:
            while mailbox.events:
                event = mailbox.events.popleft()
                yield with_edge_cursor(backends, viewer_id, event)
                if mailbox.events and time.monotonic() - mailbox.arrived_at > JUDGED_SECONDS:
                    # Who reads slowly must not be told what was true long ago: it is asked for anew.
                    mailbox.events.clear()
                    hub.leave(watcher)
                    watcher = hub.join(viewer_id, mailbox, open_moment(backends.sealer, viewer_id, event.cursor))
            if mailbox.error is not None:
                raise mailbox.error
            hub.go_on(watcher)
            mailbox.arrived.clear()
            if not mailbox.events and mailbox.error is None:
                await mailbox.arrived.wait()
    finally:
        hub.leave(watcher)


async def watch_home_feed(
    backends: Backends, hub: LiveHub, *, viewer_id: int, after: str | None
) -> AsyncGenerator[NewPost, None]:
    """New posts as they reach the feed, each once. Raises InvalidCursorError, FeedResetError."""
    everything = watch_feed_events(backends, hub, viewer_id=viewer_id, after=after, wants_changes=False)
    async with aclosing(everything) as events:
        async for event in events:
            if isinstance(event, NewPost):
                yield event


async def read_missed_events(backends: Backends, *, viewer_id: int, after: str, first: int) -> MissedEvents:
    """At most `first` events behind the cursor.

    Raises InvalidArgumentError unless `first` is 0 to MAX_MISSED, InvalidCursorError, UnavailableError.
    """
    if not 0 <= first <= MAX_MISSED:
        raise InvalidArgumentError(f"first must be between 0 and {MAX_MISSED}")
    moment = open_moment(backends.sealer, viewer_id, after)
    (difference,) = await find_differences(backends, [Look(viewer_id, moment, None)])
    end = seal_moment(backends.sealer, viewer_id, difference.reached)
    if not first:
        return MissedEvents([], after, has_more=bool(difference.changes) or difference.reset is not None)
    if difference.reset is not None:
        return MissedEvents([ResetFeed(end, difference.reset)], end, has_more=False)
    told = behind(moment, difference, difference.reached)
    part = _part(told, difference.rows, first)
    if not part and told:
        # What belongs together does not fit into one answer.
        return MissedEvents([ResetFeed(end, FeedResetReason.FEED_CHANGED)], end, has_more=False)
    events: list[WireEvent] = [
        with_edge_cursor(backends, viewer_id, wire_event(change, seal_moment(backends.sealer, viewer_id, reached)))
        for change, reached in part
    ]
    has_more = len(part) < len(told)
    return MissedEvents(events, events[-1].cursor if has_more else end, has_more)


def _part(
    told: Sequence[tuple[FeedChange, Moment]], rows: Sequence[frozenset[int]], size: int
) -> Sequence[tuple[FeedChange, Moment]]:
    """As many of the first as belong together, at most `size`: behind them the cursor must be a little further."""
    for count in range(min(size, len(told)), 0, -1):
        if count == len(told) or not {id(one) for one in rows[:count]} & {id(one) for one in rows[count:]}:
            return told[:count]
    return ()


def with_edge_cursor(backends: Backends, viewer_id: int, event: WireEvent) -> WireEvent:
    """The event with the cursor of its entry, which is the receiver's own."""
    if not isinstance(event, NewPost):
        return event
    cursor = seal_place(backends.sealer, viewer_id, FeedPlace(event.edge.node.id))
    return replace(event, edge=event.edge.with_cursor(cursor))
