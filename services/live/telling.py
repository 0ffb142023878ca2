"""From what has changed in a feed to what a subscriber is told, each with the cursor from which to go on behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from domain.cursors import CursorSealer
from domain.errors import FeedResetError
from domain.event_log import LogEntry, LogPlace
from services.feeds.feed_cursors import Moment, seal_moment
from services.feeds.feed_difference import Difference
from services.feeds.feed_events import Added, Changed, FeedChange, FeedResetReason
from services.feeds.wire_events import ChangedPost, NewPost, RemovedPost, ResetFeed, WireEvent
from services.live.watcher import Watcher

_RESETS = {
    FeedResetReason.WINDOW_EXPIRED: "too much was missed, or too long ago: fetch the feed again",
    FeedResetReason.EPOCH_CHANGED: "the cursor comes from another database: fetch the feed again",
    FeedResetReason.LAGGED: "too much was missed by reading too slowly: fetch the feed again",
}


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
    changes = wanted_by(watcher, difference.changes)
    moments = moments_behind(began, changes, reached)
    return [
        wire_event(change, seal_moment(sealer, watcher.viewer_id, moment))
        for change, moment in zip(changes, moments, strict=True)
    ]


def wanted_by(watcher: Watcher, changes: Sequence[FeedChange]) -> Sequence[FeedChange]:
    """What of it is for this watcher."""
    if watcher.target.wants_changes:
        return changes
    return [change for change in changes if isinstance(change, Added) and change.is_publication]


def moments_behind(began: Moment, changes: Sequence[FeedChange], reached: Moment) -> list[Moment]:
    """Where a client stands that has taken the changes up to each one.

    In the middle it stands where it began, and knows the publications that it was told since; of other changes it may be told
    a second time, which alters nothing. Only behind the last one everything has been told.
    """
    moments: list[Moment] = []
    told = began.told
    for change in changes[:-1]:
        if isinstance(change, Added) and change.is_publication:
            told |= {change.event_id}
        moments.append(replace(began, told=told))
    return [*moments, reached] if changes else []


def wire_event(change: FeedChange, cursor: str) -> WireEvent:
    """The change as it goes out. Cursors of entries are the receiver's own and put in when they are rendered."""
    if isinstance(change, Added):
        return NewPost(cursor, change.entry, change.shared)
    if isinstance(change, Changed):
        return ChangedPost(cursor, change.facts, change.shared)
    return RemovedPost(cursor, change.post_id)


def told_after(watcher: Watcher, difference: Difference, entries: Mapping[int, LogEntry]) -> dict[int, int]:
    """The publications that the watcher has been told beyond what its snapshot sees, by transaction."""
    told = dict(watcher.told)
    for event_id in difference.reached.told:
        if event_id not in told:
            told[event_id] = entries[event_id].transaction_id
    return told
