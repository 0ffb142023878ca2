"""Posts as clients see them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from domain.paging import Connection, Edge
from domain.records import LocationRecord, PostRecord, TextEntityKind, TextEntityRecord, Visibility
from resolvers import comments, engagement, hashtags, nodes, posts
from resolvers import media as media_resolvers
from schema.comments import CommentConnection
from schema.hashtags import Hashtag
from schema.interfaces import Node, PageInfo
from schema.media import Media
from schema.records import represents
from schema.users import User, UserConnection


@represents(LocationRecord)
@strawberry.type(description="A place, as the author named it.")
class Location:
    name: str = strawberry.field(description="The place's name.")
    latitude: float | None = strawberry.field(description="Degrees north; set together with longitude.")
    longitude: float | None = strawberry.field(description="Degrees east; set together with latitude.")


@represents(TextEntityRecord)
@strawberry.type(description="A mention, hashtag or link in a text.")
class TextEntity:
    kind: TextEntityKind = strawberry.field(description="What the span is.")
    start: int = strawberry.field(description="Its first character; counts Unicode code points.")
    end: int = strawberry.field(description="One past its last character; counts Unicode code points.")
    text: str = strawberry.field(description="The span itself, as it was written.")
    user = strawberry.field(
        resolver=posts.mentioned_user, graphql_type=User | None, description="Who is mentioned; null where there is nobody."
    )
    hashtag = strawberry.field(resolver=hashtags.named_hashtag, graphql_type=Hashtag | None, description="Which hashtag it is.")
    url: str | None = strawberry.field(description="The address of a link.")


@represents(PostRecord)
@strawberry.type(description="A post.")
class Post(Node):
    id = strawberry.field(resolver=nodes.post_id, graphql_type=strawberry.ID, description="Opaque; the same for ever.")
    author = strawberry.field(resolver=posts.author, graphql_type=User, description="Who wrote it.")
    text: str = strawberry.field(description="The text, as it was written.")
    entities = strawberry.field(
        resolver=posts.entities, graphql_type=list[TextEntity], description="Mentions, hashtags and links, by their place."
    )
    media = strawberry.field(
        resolver=media_resolvers.post_media, graphql_type=list[Media], description="Its pictures, in the author's order."
    )
    location: Location | None = strawberry.field(description="Where it was written, if the author says so.")
    visibility: Visibility = strawberry.field(description="Who may see it.")
    created_at: datetime = strawberry.field(description="When it was posted.")
    edited_at: datetime | None = strawberry.field(description="When its text was last changed.")
    like_count: int = strawberry.field(description="The same number for every viewer.")
    comment_count: int = strawberry.field(description="The same number for every viewer.")
    share_count: int = strawberry.field(description="The same number for every viewer.")
    viewer_has_liked = strawberry.field(
        resolver=engagement.viewer_has_liked,
        graphql_type=bool,
        description="Whether the viewer likes it; of a share without words: what it shares.",
    )
    viewer_has_bookmarked = strawberry.field(
        resolver=engagement.viewer_has_bookmarked,
        graphql_type=bool,
        description="Whether the viewer keeps it for later; of a share without words: what it shares. Nobody else knows.",
    )
    viewer_has_shared = strawberry.field(
        resolver=posts.viewer_has_shared,
        graphql_type=bool,
        description="Whether the viewer has passed it on without words; of such a share: what it shares.",
    )
    viewer_can_edit = strawberry.field(
        resolver=posts.can_edit, graphql_type=bool, description="Whether the viewer may change it."
    )
    viewer_can_delete = strawberry.field(
        resolver=posts.is_own, graphql_type=bool, description="Whether the viewer may delete it."
    )
    is_share: bool = strawberry.field(description="It passes another post on, with or without words of its own.")
    shared_post = strawberry.field(
        resolver=posts.shared_post,
        graphql_type=Annotated["Post", strawberry.lazy("schema.posts")] | None,
        description="What is shared; null in a quote whose original is gone or hidden from the viewer. "
        "A share without words is itself absent then.",
    )
    likers = strawberry.field(
        resolver=engagement.likers,
        graphql_type=UserConnection,
        description="Who likes it, newest first, as far as the viewer may see; of a share without words: what it shares.",
    )
    comments = strawberry.field(
        resolver=comments.comments,
        graphql_type=CommentConnection,
        description="What people say about it, newest first, as far as the viewer may see; of a share without words: about "
        "what it shares.",
    )
    sharers = strawberry.field(
        resolver=posts.sharers,
        graphql_type=UserConnection,
        description="Who has passed it on without words, newest first, as far as the viewer may see.",
    )


@represents(Edge)
@strawberry.type(description="A post within a list.")
class PostEdge:
    cursor: str = strawberry.field(description="Goes on from here.")
    node: Post = strawberry.field(description="The post.")


@represents(Connection)
@strawberry.type(description="A page of posts.")
class PostConnection:
    edges: list[PostEdge] = strawberry.field(description="The entries with their cursors.")
    nodes: list[Post] = strawberry.field(description="The entries alone.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in the list.")
