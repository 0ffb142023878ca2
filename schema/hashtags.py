"""Hashtags as clients see them, and what can be done with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.paging import Connection, Edge
from domain.records import HashtagRecord
from resolvers import hashtags, nodes
from resolvers.context import Info
from resolvers.hashtags import HashtagPayload
from schema.inputs import INPUT
from schema.interfaces import Node, PageInfo, UserError
from schema.records import represents

if TYPE_CHECKING:
    from schema.posts import PostConnection

_ERRORS = "What the caller can put right; empty where it is done."


@represents(HashtagRecord)
@strawberry.type(description="A hashtag that somebody has used or followed.")
class Hashtag(Node):
    id = strawberry.field(resolver=nodes.hashtag_id, graphql_type=strawberry.ID, description="Opaque; the same for ever.")
    name: str = strawberry.field(description="Normalised, without the #: all spellings are one hashtag.")
    post_count: int = strawberry.field(description="Public posts only, the same number for every viewer.")
    viewer_is_following = strawberry.field(
        resolver=hashtags.viewer_is_following, graphql_type=bool, description="Whether the viewer follows it."
    )
    posts = strawberry.field(
        resolver=hashtags.posts,
        graphql_type=Annotated["PostConnection", strawberry.lazy("schema.posts")],
        description="The posts with it that the viewer may see, newest first.",
    )


@represents(Edge)
@strawberry.type(description="A hashtag within a list.")
class HashtagEdge:
    cursor: str = strawberry.field(description="Goes on from here.")
    node: Hashtag = strawberry.field(description="The hashtag.")


@represents(Connection)
@strawberry.type(description="A page of hashtags.")
class HashtagConnection:
    edges: list[HashtagEdge] = strawberry.field(description="The entries with their cursors.")
    nodes: list[Hashtag] = strawberry.field(description="The entries alone.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in the list.")


@strawberry.input(description="A hashtag to follow.")
class FollowHashtagInput:
    name: str = strawberry.field(description="In any spelling, with or without the #; at most 100 characters.")


@strawberry.input(description="A hashtag to follow no longer.")
class UnfollowHashtagInput:
    name: str = strawberry.field(description="In any spelling, with or without the #.")


@represents(HashtagPayload)
@strawberry.type(description="The answer to followHashtag.")
class FollowHashtagPayload:
    hashtag: Hashtag | None = strawberry.field(description="What is followed.")
    user_errors: list[UserError] = strawberry.field(description=_ERRORS)


@represents(HashtagPayload)
@strawberry.type(description="The answer to unfollowHashtag.")
class UnfollowHashtagPayload:
    hashtag: Hashtag | None = strawberry.field(
        description="What is no longer followed; null for one that nobody has ever used or followed."
    )
    user_errors: list[UserError] = strawberry.field(description=_ERRORS)


async def _follow_hashtag(info: Info, input: Annotated[FollowHashtagInput, INPUT]) -> HashtagPayload:  # noqa: A002 - the argument's public name
    return await hashtags.follow_hashtag(info.context, input.name)


async def _unfollow_hashtag(info: Info, input: Annotated[UnfollowHashtagInput, INPUT]) -> HashtagPayload:  # noqa: A002
    return await hashtags.unfollow_hashtag(info.context, input.name)


@strawberry.type(description="What can be done with hashtags.")
class HashtagMutations:
    follow_hashtag = strawberry.mutation(
        resolver=_follow_hashtag,
        graphql_type=FollowHashtagPayload | None,
        description="Follows a hashtag: posts with it come into the viewer's feed, older ones too.",
    )
    unfollow_hashtag = strawberry.mutation(
        resolver=_unfollow_hashtag, graphql_type=UnfollowHashtagPayload | None, description="Follows a hashtag no longer."
    )
