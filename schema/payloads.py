"""What mutations on posts answer. Payloads are nullable: null means that the whole operation failed, with a top-level error."""

from __future__ import annotations

import strawberry

from resolvers import posts
from resolvers.posts import PostPayload
from schema.feed import FeedEdge
from schema.interfaces import UserError
from schema.posts import Post
from schema.records import represents

ERRORS = "What the caller can put right; empty where it is done."


@represents(PostPayload)
@strawberry.type(description="The answer to createPost.")
class CreatePostPayload:
    post: Post | None = strawberry.field(
        description="The new post; null where it was made under this idempotencyKey before and is gone since."
    )
    feed_edge = strawberry.field(
        resolver=posts.feed_edge,
        graphql_type=FeedEdge | None,
        description="The post as an entry of the author's own feed.",
    )
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@represents(PostPayload)
@strawberry.type(description="The answer to updatePost.")
class UpdatePostPayload:
    post: Post | None = strawberry.field(description="The post in its new state.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@represents(PostPayload)
@strawberry.type(description="The answer to deletePost.")
class DeletePostPayload:
    deleted_post_id: strawberry.ID | None = strawberry.field(description="What no longer exists.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@represents(PostPayload)
@strawberry.type(description="The answer to sharePost.")
class SharePostPayload:
    post: Post | None = strawberry.field(
        description="The share or quote: a new one, or the share that was there. "
        "Null where it was made under this idempotencyKey before and is gone since."
    )
    feed_edge = strawberry.field(
        resolver=posts.feed_edge,
        graphql_type=FeedEdge | None,
        description="A quote as an entry of its author's own feed; null for a share without words, which is not in it.",
    )
    shared_post: Post | None = strawberry.field(description="What was shared, in its new state.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@represents(PostPayload)
@strawberry.type(description="The answer to unsharePost.")
class UnsharePostPayload:
    deleted_post_id: strawberry.ID | None = strawberry.field(description="The share that no longer exists.")
    shared_post: Post | None = strawberry.field(description="What had been shared, in its new state.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)
