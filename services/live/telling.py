"""From what has changed in a feed to what a subscriber is told, each with the cursor from which to go on behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from domain.cursors import CursorSealer
from domain.errors import FeedResetError
from domain.event_log import LogPlace
from services.feeds.feed_cursors import Moment, place_text, seal_moment, seal_moment_text
from services.feeds.feed_difference import Difference, Look
from services.feeds.feed_events import Added, Changed, FeedChange, FeedResetReason
from services.feeds.wire_events import ChangedPost, NewPost, RemovedPost, ResetFeed, WireEvent
from services.live.watcher import Watcher

_RESETS = {
    FeedResetReason.WINDOW_EXPIRED: "too much was missed, or too long ago: fetch the feed again",
    FeedResetReason.EPOCH_CHANGED: "the cursor comes from another database: fetch the feed again",
    FeedResetReason.LAGGED: "too much was missed by reading too slowly: fetch the feed again",
}


def look_for(watcher: Watcher, moment: Moment, event_ids: Collection[int] | None) -> Look:
    """The question what there is to be told to the watcher since its moment. `event_ids`: what its logs name; None: unknown."""
    return Look(watcher.viewer_id, moment, event_ids, not watcher.target.wants_changes)


def tell(
    sealer: CursorSealer, watcher: Watcher, difference: Difference, *, began: Moment, place: LogPlace | None
) -> list[WireEvent]:
    """The events of a difference from `began` on; the last one's cursor stands behind all of it, at that place of the logs.

    Raises FeedResetError where a watcher of publications alone can no longer be told what it missed.
    """
    reached = difference.reached
    reached = replace(reached, logs=place)
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


def tell_plain(
    sealer: CursorSealer,
    watcher: Watcher,
    difference: Difference,
    part: slice,
    *,
    before: LogPlace | None,
    place: LogPlace | None,
) -> list[WireEvent]:
    """The same for publications alone, which are nearly everything, and for a part of them; the watcher is moved on with them.

    `before`: where the logs stood in front of all of them. There are tens of thousands a second.
    """
    changes, transactions = difference.changes, difference.transactions
    viewer_id, in_front = watcher.viewer_id, place_text(before) if before is not None else "||"
    last = len(changes) - 1
    events: list[WireEvent] = []
    for number in range(*part.indices(len(changes))):
        change = changes[number]
        assert isinstance(change, Added), "they are publications"
        watcher.add_told(change.event_id, transactions[change.event_id])
        where = in_front
        if number == last:
            where = place_text(place) if place is not None else "||"
            if difference.reached.as_of != watcher.as_of:
                watcher.stand_at(difference.reached)
        cursor = seal_moment_text(sealer, viewer_id, watcher.head, watcher.told_text, where)
        events.append(NewPost(cursor, change.entry, change.shared))
    if not changes and difference.reached.as_of != watcher.as_of:
        watcher.stand_at(difference.reached)
    return events


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
    known, transactions = watcher.told, difference.transactions
    return {event_id: known.get(event_id) or transactions[event_id] for event_id in difference.reached.told}
