"""Accounts as clients see them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.paging import Connection, Edge
from domain.records import FollowState, Relation, UserRecord
from resolvers import media, nodes, people
from schema.interfaces import Node, PageInfo
from schema.records import represents

if TYPE_CHECKING:
    from schema.posts import PostConnection


@represents(Relation)
@strawberry.type(description="The viewer's settings for one follow. Nobody else knows them.")
class FollowSettings:
    close_friend: bool = strawberry.field(description="The viewer is notified of every post of this account.")
    hide_shares: bool = strawberry.field(description="The account's shares without words stay out of the viewer's feed.")
    daily_limit: int | None = strawberry.field(description="At most so many entries of theirs a UTC day; null: all.")


@represents(UserRecord)
@strawberry.type(description="An account.")
class User(Node):
    id = strawberry.field(resolver=nodes.user_id, graphql_type=strawberry.ID, description="Opaque; the same for ever.")
    username: str = strawberry.field(description="Unique without regard to case: letters, digits and underscores.")
    display_name: str = strawberry.field(description="The name to show.")
    bio: str = strawberry.field(description="What the account says of itself; empty where it says nothing.")
    avatar_url = strawberry.field(
        resolver=media.avatar_url, graphql_type=str | None, description="Address of the picture; null where there is none."
    )
    is_verified: bool = strawberry.field(description="Whether the operators vouch for who this is.")
    is_private: bool = strawberry.field(description="Followers must be approved, and only they see this account's posts.")
    created_at: datetime = strawberry.field(description="When the account was made.")
    follower_count: int = strawberry.field(description="How many follow the account.")
    following_count: int = strawberry.field(description="How many the account follows.")
    post_count: int = strawberry.field(description="Public posts only, the same number for every viewer.")
    is_viewer = strawberry.field(
        resolver=people.is_viewer, graphql_type=bool, description="Whether this is the viewer's own account."
    )
    viewer_follow_state = strawberry.field(
        resolver=people.viewer_follow_state, graphql_type=FollowState, description="How the viewer stands to the account."
    )
    follows_viewer = strawberry.field(
        resolver=people.follows_viewer, graphql_type=bool, description="Whether the account follows the viewer."
    )
    viewer_follow = strawberry.field(
        resolver=people.viewer_follow,
        graphql_type=FollowSettings | None,
        description="The viewer's settings for this follow; null when not following.",
    )
    viewer_is_muting = strawberry.field(
        resolver=people.viewer_is_muting, graphql_type=bool, description="Whether the viewer mutes the account at this moment."
    )
    viewer_muted_until = strawberry.field(
        resolver=people.viewer_muted_until,
        graphql_type=datetime | None,
        description="When the viewer's mute ends by itself; null where there is none, or no end.",
    )
    viewer_is_blocking = strawberry.field(
        resolver=people.viewer_is_blocking, graphql_type=bool, description="Whether the viewer blocks the account."
    )
    posts = strawberry.field(
        resolver=people.posts,
        graphql_type=Annotated["PostConnection", strawberry.lazy("schema.posts")],
        description="The account's posts that the viewer may see, newest first.",
    )
    followers = strawberry.field(
        resolver=people.followers,
        graphql_type=Annotated["UserConnection", strawberry.lazy("schema.users")],
        description="Who follows the account, newest first; nobody where the account is private to the viewer.",
    )
    following = strawberry.field(
        resolver=people.following,
        graphql_type=Annotated["UserConnection", strawberry.lazy("schema.users")],
        description="Whom the account follows, newest first; nobody where the account is private to the viewer.",
    )


@represents(Edge)
@strawberry.type(description="An account within a list.")
class UserEdge:
    cursor: str = strawberry.field(description="Goes on from here.")
    node: User = strawberry.field(description="The account.")


@represents(Connection)
@strawberry.type(description="A page of accounts.")
class UserConnection:
    edges: list[UserEdge] = strawberry.field(description="The entries with their cursors.")
    nodes: list[User] = strawberry.field(description="The entries alone.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in the list.")
