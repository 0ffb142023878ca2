"""From what has changed in a feed to what a subscriber is told, each with the cursor from which to go on behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from domain.cursors import CursorSealer
from domain.errors import FeedResetError
from domain.event_log import LogPlace
from services.feeds.feed_cursors import Moment, seal_moment
from services.feeds.feed_difference import Difference, Look
from services.feeds.feed_events import Added, Changed, FeedChange, FeedResetReason
from services.feeds.wire_events import ChangedPost, NewPost, RemovedPost, ResetFeed, WireEvent
from services.live.watcher import Watcher

_RESETS = {
    FeedResetReason.WINDOW_EXPIRED: "too much was missed, or too long ago: fetch the feed again",
    FeedResetReason.EPOCH_CHANGED: "the cursor comes from another database: fetch the feed again",
    FeedResetReason.LAGGED: "too much was missed by reading too slowly: fetch the feed again",
}


def look_for(watcher: Watcher, event_ids: Collection[int] | None) -> Look:
    """The question what there is to be told to the watcher. `event_ids`: what its logs name; None: nobody knows."""
    return Look(watcher.viewer_id, watcher.moment(), event_ids, not watcher.target.wants_changes)


def tell(
    sealer: CursorSealer, watcher: Watcher, difference: Difference, *, began: Moment, place: LogPlace | None
) -> list[WireEvent]:
    """The events of a difference from `began` on; the last one's cursor stands behind all of it, at that place of the logs.

    Raises FeedResetError where a watcher of publications alone can no longer be told what it missed.
    """
    reached = replace(difference.reached, logs=place)
    if difference.reset is not None:
        if watcher.target.wants_changes:
            return [ResetFeed(seal_moment(sealer, watcher.viewer_id, reached), difference.reset)]
        if difference.reset in _RESETS:
            raise FeedResetError(_RESETS[difference.reset])
        return []
    told = behind(began, difference, reached)
    if not watcher.target.wants_changes:
        told = [(change, moment) for change, moment in told if isinstance(change, Added) and change.is_publication]
    if told:
        # Behind the last one that this watcher wants, nothing is left.
        told[-1] = (told[-1][0], reached)
    return [wire_event(change, seal_moment(sealer, watcher.viewer_id, moment)) for change, moment in told]


def behind(began: Moment, difference: Difference, reached: Moment) -> list[tuple[FeedChange, Moment]]:
    """The changes, each with where a client stands that has taken all up to this one.

    In the middle it stands where it began, and has been told the rows all of whose changes it has taken. Only behind the last
    change everything has been told.
    """
    changes = difference.changes
    if len(changes) < 2:
        return [(change, reached) for change in changes]
    left = Counter(map(id, difference.rows))
    found: list[tuple[FeedChange, Moment]] = []
    told = began.told
    for change, rows in zip(changes[:-1], difference.rows, strict=False):
        left[id(rows)] -= 1
        if not left[id(rows)]:
            told |= rows
        found.append((change, replace(began, told=told)))
    return [*found, (changes[-1], reached)]


def wire_event(change: FeedChange, cursor: str) -> WireEvent:
    """The change as it goes out. Cursors of entries are the receiver's own and put in when they are rendered."""
    if isinstance(change, Added):
        return NewPost(cursor, change.entry, change.shared)
    if isinstance(change, Changed):
        return ChangedPost(cursor, change.facts, change.shared)
    return RemovedPost(cursor, change.post_id)


def told_after(watcher: Watcher, difference: Difference) -> dict[int, int]:
    """The rows that the watcher has been told beyond what its snapshot sees, by transaction."""
    if not difference.reached.told:
        return {}
    return {event_id: watcher.told.get(event_id) or difference.transactions[event_id] for event_id in difference.reached.told}
