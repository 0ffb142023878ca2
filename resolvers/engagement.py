"""Likes and bookmarks: what posts say of them, lists and mutations."""

from __future__ import annotations

from collections.abc import Awaitable

import strawberry

from domain.engagement import ViewerMarks
from domain.errors import RefusedError
from domain.ids import local_id
from domain.paging import Connection, forward_page
from domain.records import PostRecord, UserRecord, VisiblePost
from resolvers.arguments import After, First
from resolvers.batched import batched
from resolvers.context import Info, OperationContext, given
from resolvers.people import to_post_connection
from resolvers.posts import PostPayload
from services.engagement import bookmark_post as keeping
from services.engagement import like_post as liking
from services.engagement.find_target import Engaged
from services.engagement.list_bookmarks import list_bookmarks
from services.engagement.list_likers import list_likers

_NOTHING = 0
"""No post has this number: an id that is none goes the same way as one that is unknown."""


# ---------------------------------------------------------------- fields


@batched(
    loader=lambda context: context.loaders.marks if context.viewer is not None else None,
    key="root_id",
    finish=lambda _root, marks, _context: marks is not None and marks.has_liked,
    finish_name="has_liked",
)
async def viewer_has_liked(root: PostRecord, info: Info) -> bool:
    return info.context.viewer_id is not None and (await _marks(root, info)).has_liked


@batched(
    loader=lambda context: context.loaders.marks if context.viewer is not None else None,
    key="root_id",
    finish=lambda _root, marks, _context: marks is not None and marks.has_bookmarked,
    finish_name="has_bookmarked",
)
async def viewer_has_bookmarked(root: PostRecord, info: Info) -> bool:
    return info.context.viewer_id is not None and (await _marks(root, info)).has_bookmarked


async def _marks(root: PostRecord, info: Info) -> ViewerMarks:
    return await info.context.loaders.marks.load(root.root_id)


async def likers(root: PostRecord, info: Info, first: First = 20, after: After = strawberry.UNSET) -> Connection[UserRecord]:
    context = info.context
    return await list_likers(
        context.backends, root_id=root.root_id, viewer_id=context.viewer_id, page=forward_page(first, given(after))
    )


# ---------------------------------------------------------------- queries


async def bookmarks(info: Info, first: First = 20, after: After = strawberry.UNSET) -> Connection[PostRecord]:
    context = info.context
    viewer_id = context.require_viewer_id()
    page = await list_bookmarks(context.backends, viewer_id=viewer_id, page=forward_page(first, given(after)))
    return to_post_connection(context, page)


# ---------------------------------------------------------------- mutations


async def like_post(context: OperationContext, post_id: str) -> PostPayload:
    viewer_id, number = _both_ids(context, post_id)
    return await _answer(context, liking.like_post(context.backends, viewer_id=viewer_id, post_id=number))


async def unlike_post(context: OperationContext, post_id: str) -> PostPayload:
    viewer_id, number = _both_ids(context, post_id)
    return await _answer(context, liking.unlike_post(context.backends, viewer_id=viewer_id, post_id=number))


async def bookmark_post(context: OperationContext, post_id: str) -> PostPayload:
    viewer_id, number = _both_ids(context, post_id)
    return await _answer(context, keeping.bookmark_post(context.backends, viewer_id=viewer_id, post_id=number))


async def unbookmark_post(context: OperationContext, post_id: str) -> PostPayload:
    viewer_id, number = _both_ids(context, post_id)
    return await _answer(context, keeping.unbookmark_post(context.backends, viewer_id=viewer_id, post_id=number))


def remember_visible(context: OperationContext, visible: VisiblePost) -> None:
    """After a write: what was loaded before is forgotten, and what came with the answer is not asked for again."""
    context.forget_loaded()
    context.loaders.remember_authors([visible])
    context.loaders.posts.prime(visible.post.id, visible)


def _both_ids(context: OperationContext, post_id: str) -> tuple[int, int]:
    return context.require_viewer_id(), local_id(post_id, "Post") or _NOTHING


async def _answer(context: OperationContext, work: Awaitable[Engaged]) -> PostPayload:
    try:
        visible, marks = await work
    except RefusedError as error:
        return PostPayload(user_errors=list(error.refusals))
    remember_visible(context, visible)
    context.loaders.marks.prime(visible.post.id, marks)
    return PostPayload(post=visible.post)
