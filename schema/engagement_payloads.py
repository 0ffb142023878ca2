"""What mutations on likes, comments and bookmarks answer."""

from __future__ import annotations

import strawberry

from resolvers.comments import CommentPayload
from resolvers.posts import PostPayload
from schema.comments import CommentEdge
from schema.interfaces import UserError
from schema.payloads import ERRORS
from schema.posts import Post
from schema.records import represents


@represents(PostPayload)
@strawberry.type(description="The answer to likePost.")
class LikePostPayload:
    post: Post | None = strawberry.field(description="What is liked now: of a share without words what it shares.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@represents(PostPayload)
@strawberry.type(description="The answer to unlikePost.")
class UnlikePostPayload:
    post: Post | None = strawberry.field(description="What is not liked any more.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@represents(PostPayload)
@strawberry.type(description="The answer to bookmarkPost.")
class BookmarkPostPayload:
    post: Post | None = strawberry.field(description="What is kept now: of a share without words what it shares.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@represents(PostPayload)
@strawberry.type(description="The answer to unbookmarkPost.")
class UnbookmarkPostPayload:
    post: Post | None = strawberry.field(description="What is not kept any more.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@represents(CommentPayload)
@strawberry.type(description="The answer to addComment.")
class AddCommentPayload:
    comment_edge: CommentEdge | None = strawberry.field(description="The new comment as an entry of its post's list.")
    post: Post | None = strawberry.field(description="The post in its new state.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@represents(CommentPayload)
@strawberry.type(description="The answer to deleteComment.")
class DeleteCommentPayload:
    deleted_comment_id: strawberry.ID | None = strawberry.field(description="What no longer exists.")
    post: Post | None = strawberry.field(description="The post in its new state.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)
