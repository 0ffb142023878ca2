"""Comments as clients see them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.comments import CommentRecord
from domain.paging import Connection, Edge
from resolvers import comments, nodes
from schema.interfaces import Node, PageInfo
from schema.records import represents
from schema.users import User

if TYPE_CHECKING:
    from schema.posts import Post


@represents(CommentRecord)
@strawberry.type(description="Words under a post.")
class Comment(Node):
    id = strawberry.field(resolver=nodes.comment_id, graphql_type=strawberry.ID, description="Opaque; the same for ever.")
    post = strawberry.field(
        resolver=comments.post,
        graphql_type=Annotated["Post", strawberry.lazy("schema.posts")],
        description="What it is about; never a share without words.",
    )
    author = strawberry.field(resolver=comments.author, graphql_type=User, description="Who wrote it.")
    text: str = strawberry.field(description="The text, as it was written.")
    created_at: datetime = strawberry.field(description="When it was written.")
    viewer_can_delete = strawberry.field(
        resolver=comments.viewer_can_delete,
        graphql_type=bool,
        description="Whether the viewer may delete it: its author, and the author of the post.",
    )


@represents(Edge)
@strawberry.type(description="A comment within a list.")
class CommentEdge:
    cursor: str = strawberry.field(description="Goes on from here.")
    node: Comment = strawberry.field(description="The comment.")


@represents(Connection)
@strawberry.type(description="A page of comments.")
class CommentConnection:
    edges: list[CommentEdge] = strawberry.field(description="The entries with their cursors.")
    nodes: list[Comment] = strawberry.field(description="The entries alone.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in the list.")
