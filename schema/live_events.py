"""What subscriptions answer."""

from __future__ import annotations

import strawberry

from domain.records import PostCounts as PostCountsRecord
from resolvers import live
from schema.feed import FeedEdge
from schema.posts import Post
from schema.records import represents
from services.feeds.feed_events import FeedResetReason
from services.feeds.wire_events import Beat, ChangedPost, MissedEvents, NewPost, RemovedPost, ResetFeed


@strawberry.interface(description="Something that happened to a feed.")
class FeedEvent:
    cursor: str = strawberry.field(description="Where to resume. Opaque; never compared by clients.")


@represents(NewPost)
@strawberry.type(description="A post has reached the feed.")
class PostAdded(FeedEvent):
    edge = strawberry.field(resolver=live.added_edge, graphql_type=FeedEdge, description="The new entry.")


@represents(ChangedPost)
@strawberry.type(description="A post of the feed, or what it shares, reads differently now.")
class PostChanged(FeedEvent):
    post = strawberry.field(resolver=live.changed_post, graphql_type=Post, description="The post as it is now.")


@represents(RemovedPost)
@strawberry.type(description="A post is no longer in the feed.")
class PostRemoved(FeedEvent):
    post_id = strawberry.field(resolver=live.post_id, graphql_type=strawberry.ID, description="The node of the entry.")


@represents(ResetFeed)
@strawberry.type(
    description="What was missed can no longer be replayed, or so much changed at once: fetch the feed again, then go on from "
    "cursor."
)
class FeedReset(FeedEvent):
    reason: FeedResetReason = strawberry.field(description="Why.")


@represents(Beat)
@strawberry.type(description="Every 15 s on a quiet feed; moves the cursor.")
class Heartbeat(FeedEvent):
    pass


FEED_EVENTS: tuple[type, ...] = (PostAdded, PostChanged, PostRemoved, FeedReset, Heartbeat)


@represents(MissedEvents)
@strawberry.type(description="What happened to a feed since a cursor.")
class MissedFeedEvents:
    events: list[FeedEvent] = strawberry.field(description="The events, oldest first.")
    cursor: str = strawberry.field(description="Where to go on, by request or live.")
    has_more: bool = strawberry.field(description="Whether there are more right now.")


@represents(PostCountsRecord)
@strawberry.type(description="The counters of a post as they are now.")
class PostCounts:
    post_id = strawberry.field(resolver=live.post_id, graphql_type=strawberry.ID, description="Whose they are.")
    like_count: int = strawberry.field(description="How many accounts like it.")
    comment_count: int = strawberry.field(description="How many comments it has.")
    share_count: int = strawberry.field(description="How often it was shared, with or without words.")
