"""What clients find that they do not know yet."""

from __future__ import annotations

import strawberry

from domain.records import TrendingHashtagRecord
from resolvers import discovery
from schema.hashtags import Hashtag
from schema.posts import PostConnection
from schema.records import represents
from schema.users import User, UserConnection


@represents(TrendingHashtagRecord)
@strawberry.type(description="A hashtag that is used more than usual.")
class TrendingHashtag:
    hashtag: Hashtag = strawberry.field(description="The hashtag.")
    recent_post_count: int = strawberry.field(
        description="Public posts with it in the last two days, the same number for every viewer; some seconds old."
    )


@strawberry.type(description="Queries for what one does not know yet.")
class DiscoveryQueries:
    trending_hashtags = strawberry.field(
        resolver=discovery.trending_hashtags,
        graphql_type=list[TrendingHashtag] | None,
        description="Hashtags that many authors use at present, more than usual; the same for every viewer.",
    )
    search_users = strawberry.field(
        resolver=discovery.search_users,
        graphql_type=UserConnection | None,
        description="People by name: exact names first, then those that begin so, then similar ones.",
    )
    search_posts = strawberry.field(
        resolver=discovery.search_posts,
        graphql_type=PostConnection | None,
        description="Posts by what they say, newest first. Words are found whole, and where nothing is, parts of words.",
    )
    suggested_users = strawberry.field(
        resolver=discovery.suggested_users,
        graphql_type=list[User] | None,
        description="Whom the viewer might like to follow: first those whom most of the followed follow.",
    )
