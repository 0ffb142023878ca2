"""Use case: what a viewer's home feed has gone through since a cursor, by plain request."""

from __future__ import annotations

from domain.errors import FeedResetError, InvalidArgumentError
from services.backends import Backends
from services.feeds.feed_events import FeedResetReason
from services.feeds.live_feed import LiveFeed
from services.feeds.watch_home_feed import read_missed_posts, take_cursor
from services.feeds.wire_events import MissedEvents, ResetFeed

MAX_EVENTS = 1_000


async def read_missed_events(
    backends: Backends, live_feed: LiveFeed, *, viewer_id: int, after: str, first: int
) -> MissedEvents:
    """At most `first` events behind the cursor.

    Raises InvalidArgumentError unless `first` is 1 to MAX_EVENTS, InvalidCursorError, UnavailableError.
    """
    if not 1 <= first <= MAX_EVENTS:
        raise InvalidArgumentError(f"first must be between 1 and {MAX_EVENTS}")
    try:
        events, reached = await read_missed_posts(backends, live_feed, viewer_id=viewer_id, after=after)
    except FeedResetError:
        cursor = await take_cursor(backends, viewer_id)
        return MissedEvents([ResetFeed(cursor, FeedResetReason.WINDOW_EXPIRED)], cursor, has_more=False)
    told = events[:first]
    has_more = len(told) < len(events)
    return MissedEvents([*told], told[-1].cursor if has_more else reached, has_more)
