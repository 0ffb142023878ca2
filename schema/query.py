"""Queries. A root field that can fail by itself is nullable, so that one failure does not take its siblings along."""

from __future__ import annotations

import strawberry

from resolvers import engagement, feeds, hashtags, live, nodes, notifications, people, posts, preferences
from schema.discovery import DiscoveryQueries
from schema.feed import FeedConnection, FeedExplanation, FeedPosition
from schema.hashtags import Hashtag, HashtagConnection
from schema.interfaces import Node
from schema.live_events import MissedFeedEvents
from schema.notifications import NotificationConnection
from schema.posts import Post, PostConnection
from schema.preferences import FeedPreferences
from schema.users import User, UserConnection


@strawberry.type(description="Everything that can be asked for.")
class Query(DiscoveryQueries):
    node = strawberry.field(
        resolver=nodes.node, graphql_type=Node | None, description="Anything by its id; null for what is hidden or absent."
    )
    nodes = strawberry.field(
        resolver=nodes.nodes, graphql_type=list[Node | None], description="Several at once (at most 100), in the same order."
    )
    viewer = strawberry.field(
        resolver=people.viewer, graphql_type=User | None, description="The signed-in user; null for an anonymous request."
    )
    user = strawberry.field(
        resolver=people.user, graphql_type=User | None, description="An account by its username, without regard to case."
    )
    post = strawberry.field(
        resolver=posts.post, graphql_type=Post | None, description="A post by its id; null for what is hidden or absent."
    )
    feed = strawberry.field(
        resolver=feeds.feed,
        graphql_type=FeedConnection | None,
        description="The viewer's home feed; first/after towards older entries, last/before towards newer ones.",
    )
    feed_position = strawberry.field(
        resolver=feeds.feed_position,
        graphql_type=FeedPosition | None,
        description="How far the viewer has read, and how much lies above.",
    )
    explain_feed_post = strawberry.field(
        resolver=feeds.explain_feed_post,
        graphql_type=FeedExplanation | None,
        description="Why a post is, or is not, in the viewer's feed: the rule that decided.",
    )
    missed_feed_events = strawberry.field(
        resolver=live.missed_feed_events,
        graphql_type=MissedFeedEvents | None,
        description="The same events as the subscription, by plain request.",
    )
    notifications = strawberry.field(
        resolver=notifications.notifications,
        graphql_type=NotificationConnection | None,
        description="What others did that concerns the viewer, grouped; the group that somebody joined last comes first.",
    )
    follow_requests = strawberry.field(
        resolver=people.follow_requests,
        graphql_type=UserConnection | None,
        description="Who asks to follow the viewer's private account, newest first.",
    )
    blocked_users = strawberry.field(
        resolver=people.blocked_users, graphql_type=UserConnection | None, description="Whom the viewer blocks, newest first."
    )
    muted_users = strawberry.field(
        resolver=people.muted_users,
        graphql_type=UserConnection | None,
        description="Whom the viewer mutes at this moment, newest first.",
    )
    hashtag = strawberry.field(
        resolver=hashtags.hashtag,
        graphql_type=Hashtag | None,
        description="A hashtag by its name; null for one that nobody has ever used or followed.",
    )
    followed_hashtags = strawberry.field(
        resolver=hashtags.followed_hashtags,
        graphql_type=HashtagConnection | None,
        description="The hashtags that the viewer follows, newest first.",
    )
    bookmarks = strawberry.field(
        resolver=engagement.bookmarks,
        graphql_type=PostConnection | None,
        description="What the viewer keeps for later, newest first; without what is gone or hidden meanwhile.",
    )
    feed_preferences = strawberry.field(
        resolver=preferences.feed_preferences,
        graphql_type=FeedPreferences | None,
        description="What the viewer wants the home feed to be like.",
    )
