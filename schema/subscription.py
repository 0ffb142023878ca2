"""Subscriptions."""

from __future__ import annotations

from collections.abc import AsyncIterator

import strawberry

from resolvers import feeds
from schema.feed import PostAdded


@strawberry.type(description="What can be watched.")
class Subscription:
    new_posts = strawberry.subscription(
        resolver=feeds.new_posts,
        graphql_type=AsyncIterator[PostAdded],
        description="Posts as they reach the viewer's home feed, in order of arrival, each once; with after, what was missed "
        "comes first. Ends with the error FEED_RESET where that is impossible.",
    )
