"""Subscriptions."""

from __future__ import annotations

from collections.abc import AsyncIterator

import strawberry

from resolvers import live
from resolvers import notifications as notifications_
from schema.live_events import FeedEvent, PostAdded, PostCounts
from schema.notifications import Notification


@strawberry.type(description="What can be watched.")
class Subscription:
    new_posts = strawberry.subscription(
        resolver=live.new_posts,
        graphql_type=AsyncIterator[PostAdded],
        description="Posts as they reach the viewer's home feed, in order of arrival, each once; with after, what was missed "
        "comes first. Ends with the error FEED_RESET where that is impossible.",
    )
    feed_events = strawberry.subscription(
        resolver=live.feed_events,
        graphql_type=AsyncIterator[FeedEvent],
        description="Everything that happens to the viewer's home feed; with after, what was missed comes first.",
    )
    post_counts = strawberry.subscription(
        resolver=live.post_counts,
        graphql_type=AsyncIterator[PostCounts],
        description="Live counters of up to 100 posts: first the values of now, then changes; the latest value wins.",
    )
    notifications = strawberry.subscription(
        resolver=notifications_.watch_notifications,
        graphql_type=AsyncIterator[Notification],
        description="Notifications from now on: new ones, and groups that somebody joins, in their new state (the latest "
        "counts). Subscribe first, then ask for the list.",
    )
