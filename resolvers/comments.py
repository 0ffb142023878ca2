"""Comments: their fields and lists."""

from __future__ import annotations

import strawberry

from domain.comments import CommentRecord, can_delete_comment
from domain.paging import Connection, Edge, forward_page
from domain.records import PostRecord, UserRecord
from resolvers.arguments import After, First
from resolvers.context import Info, given
from services.engagement.list_comments import list_comments


async def author(root: CommentRecord, info: Info) -> UserRecord:
    found = await info.context.loaders.users.load(root.author_id)
    assert found is not None, "a visible comment's author is visible"
    return found


async def post(root: CommentRecord, info: Info) -> PostRecord:
    found = await info.context.loaders.posts.load(root.post_id)
    assert found is not None, "a visible comment's post is visible"
    return found.post


def viewer_can_delete(root: CommentRecord, info: Info) -> bool:
    return can_delete_comment(root, viewer_id=info.context.viewer_id)


async def comments(
    root: PostRecord, info: Info, first: First = 20, after: After = strawberry.UNSET
) -> Connection[CommentRecord]:
    """Of a share without words those of what it shares."""
    context = info.context
    page = await list_comments(
        context.backends, root_id=root.root_id, viewer_id=context.viewer_id, page=forward_page(first, given(after))
    )
    for edge in page.edges:
        context.loaders.remember_user(edge.node.author)
        context.loaders.relations.prime(edge.node.author.id, edge.node.relation)
    return Connection([Edge(edge.cursor, edge.node.comment) for edge in page.edges], page.page_info)
