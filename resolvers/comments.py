"""Comments: their fields, lists and mutations."""

from __future__ import annotations

from dataclasses import dataclass, field

import strawberry

from domain.comments import CommentRecord, can_delete_comment
from domain.errors import Refusal, RefusedError
from domain.ids import local_id, to_global_id
from domain.paging import Connection, Edge, forward_page
from domain.records import PostRecord, UserRecord, VisiblePost
from resolvers.arguments import After, First
from resolvers.batched import batched
from resolvers.context import Info, OperationContext, given
from resolvers.engagement import remember_visible
from services.engagement.add_comment import add_comment as add_comment_use_case
from services.engagement.delete_comment import delete_comment as delete_comment_use_case
from services.engagement.list_comments import list_comments

_NOTHING = 0
"""Nothing has this number: an id that is none goes the same way as one that is unknown."""


@dataclass(frozen=True, slots=True)
class CommentPayload:
    """The answer of a mutation on comments; each payload type shows the part of it that it has."""

    comment_edge: Edge[CommentRecord] | None = None
    post: PostRecord | None = None
    deleted_comment_id: str | None = None
    user_errors: list[Refusal] = field(default_factory=list)


# ---------------------------------------------------------------- fields


@batched(loader=lambda context: context.loaders.users, key="author_id")
async def author(root: CommentRecord, info: Info) -> UserRecord | None:
    """A visible comment's author is visible: null would be a fault of ours, and is told as one."""
    return await info.context.loaders.users.load(root.author_id)


def _post(_root: CommentRecord, found: VisiblePost | None, _context: OperationContext) -> PostRecord:
    assert found is not None, "a visible comment's post is visible"
    return found.post


@batched(loader=lambda context: context.loaders.posts, key="post_id", finish=_post)
async def post(root: CommentRecord, info: Info) -> PostRecord:
    return _post(root, await info.context.loaders.posts.load(root.post_id), info.context)


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


# ---------------------------------------------------------------- mutations


async def add_comment(context: OperationContext, *, post_id: str, body: str, idempotency_key: str | None) -> CommentPayload:
    viewer_id = context.require_viewer_id()
    number = local_id(post_id, "Post") or _NOTHING
    try:
        edge, visible = await add_comment_use_case(
            context.backends, viewer_id=viewer_id, post_id=number, body=body, idempotency_key=idempotency_key
        )
    except RefusedError as error:
        return CommentPayload(user_errors=list(error.refusals))
    remember_visible(context, visible)
    return CommentPayload(comment_edge=edge, post=visible.post)


async def delete_comment(context: OperationContext, *, comment_id: str) -> CommentPayload:
    viewer_id = context.require_viewer_id()
    number = local_id(comment_id, "Comment") or _NOTHING
    try:
        visible = await delete_comment_use_case(context.backends, viewer_id=viewer_id, comment_id=number)
    except RefusedError as error:
        return CommentPayload(user_errors=list(error.refusals))
    remember_visible(context, visible)
    return CommentPayload(post=visible.post, deleted_comment_id=to_global_id("Comment", number))
