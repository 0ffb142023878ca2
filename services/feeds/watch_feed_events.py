"""Use case: everything that happens to the viewer's home feed, as it happens, from a cursor on."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from domain.errors import FeedResetError
from services.backends import Backends
from services.feeds.feed_events import FeedResetReason
from services.feeds.live_feed import LiveFeed
from services.feeds.watch_home_feed import take_cursor, watch_home_feed
from services.feeds.wire_events import ResetFeed, WireEvent


async def watch_feed_events(
    backends: Backends, live_feed: LiveFeed, *, viewer_id: int, after: str | None
) -> AsyncGenerator[WireEvent]:
    """Ends only when the caller stops. Holds no database connection while it waits.

    What cannot be replayed is told as ResetFeed, and it goes on from there. Raises InvalidCursorError, UnavailableError.
    """
    while True:
        try:
            async with aclosing(watch_home_feed(backends, live_feed, viewer_id=viewer_id, after=after)) as events:
                async for event in events:
                    yield event
                    after = event.cursor
        except FeedResetError:
            after = await take_cursor(backends, viewer_id)
            yield ResetFeed(after, FeedResetReason.WINDOW_EXPIRED)
