"""Mutations on likes, comments and bookmarks: one input, one payload each. Inputs end here; resolvers get plain values."""

from __future__ import annotations

from typing import Annotated

import strawberry

from resolvers import comments, engagement
from resolvers.comments import CommentPayload
from resolvers.context import Info, given
from resolvers.posts import PostPayload
from schema.engagement_payloads import (
    AddCommentPayload,
    BookmarkPostPayload,
    DeleteCommentPayload,
    LikePostPayload,
    UnbookmarkPostPayload,
    UnlikePostPayload,
)
from schema.inputs import INPUT


@strawberry.input(description="A post to like.")
class LikePostInput:
    post_id: strawberry.ID = strawberry.field(description="What to like; of a share without words, what it shares.")


@strawberry.input(description="A post to like no longer.")
class UnlikePostInput:
    post_id: strawberry.ID = strawberry.field(description="What to like no longer.")


@strawberry.input(description="A post to keep for later.")
class BookmarkPostInput:
    post_id: strawberry.ID = strawberry.field(description="What to keep; of a share without words, what it shares.")


@strawberry.input(description="A post to keep no longer.")
class UnbookmarkPostInput:
    post_id: strawberry.ID = strawberry.field(description="What to keep no longer; a bookmark of something hidden goes, too.")


@strawberry.input(description="A new comment.")
class AddCommentInput:
    post_id: strawberry.ID = strawberry.field(description="What it is about; of a share without words, what it shares.")
    text: str = strawberry.field(description="At most 2,000 characters, not blank.")
    idempotency_key: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="At most 255 characters. The same key with the same input returns the first result; with another input, "
        "IDEMPOTENCY_MISMATCH.",
    )


@strawberry.input(description="A comment to delete.")
class DeleteCommentInput:
    comment_id: strawberry.ID = strawberry.field(description="The viewer's own, or one under a post of the viewer's.")


async def _like_post(info: Info, input: Annotated[LikePostInput, INPUT]) -> PostPayload:  # noqa: A002 - the argument's public name
    return await engagement.like_post(info.context, input.post_id)


async def _unlike_post(info: Info, input: Annotated[UnlikePostInput, INPUT]) -> PostPayload:  # noqa: A002
    return await engagement.unlike_post(info.context, input.post_id)


async def _bookmark_post(info: Info, input: Annotated[BookmarkPostInput, INPUT]) -> PostPayload:  # noqa: A002
    return await engagement.bookmark_post(info.context, input.post_id)


async def _unbookmark_post(info: Info, input: Annotated[UnbookmarkPostInput, INPUT]) -> PostPayload:  # noqa: A002
    return await engagement.unbookmark_post(info.context, input.post_id)


async def _add_comment(info: Info, input: Annotated[AddCommentInput, INPUT]) -> CommentPayload:  # noqa: A002
    return await comments.add_comment(
        info.context, post_id=input.post_id, body=input.text, idempotency_key=given(input.idempotency_key)
    )


async def _delete_comment(info: Info, input: Annotated[DeleteCommentInput, INPUT]) -> CommentPayload:  # noqa: A002
    return await comments.delete_comment(info.context, comment_id=input.comment_id)


@strawberry.type(description="What people can do with a post.")
class EngagementMutations:
    like_post = strawberry.mutation(
        resolver=_like_post, graphql_type=LikePostPayload | None, description="Likes a post. Liking twice changes nothing."
    )
    unlike_post = strawberry.mutation(
        resolver=_unlike_post, graphql_type=UnlikePostPayload | None, description="Likes a post no longer."
    )
    bookmark_post = strawberry.mutation(
        resolver=_bookmark_post,
        graphql_type=BookmarkPostPayload | None,
        description="Keeps a post for later; nobody else knows. A second time changes nothing.",
    )
    unbookmark_post = strawberry.mutation(
        resolver=_unbookmark_post, graphql_type=UnbookmarkPostPayload | None, description="Keeps a post no longer."
    )
    add_comment = strawberry.mutation(
        resolver=_add_comment, graphql_type=AddCommentPayload | None, description="Says something under a post."
    )
    delete_comment = strawberry.mutation(
        resolver=_delete_comment,
        graphql_type=DeleteCommentPayload | None,
        description="Deletes a comment: its author may, and the author of the post.",
    )
