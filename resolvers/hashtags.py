"""Hashtags: their fields, lookups and mutations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import strawberry

from domain.errors import Refusal, RefusedError
from domain.feed import FeedReason
from domain.paging import Connection, forward_page
from domain.records import HashtagRecord, PostRecord, TextEntityRecord
from resolvers.arguments import After, First
from resolvers.batched import batched
from resolvers.context import Info, OperationContext, given
from resolvers.people import to_post_connection
from services.hashtags.find_hashtags import find_hashtag
from services.hashtags.follow_hashtag import follow_hashtag as follow_hashtag_use_case
from services.hashtags.list_followed_hashtags import list_followed_hashtags
from services.hashtags.list_hashtag_posts import list_hashtag_posts
from services.hashtags.unfollow_hashtag import unfollow_hashtag as unfollow_hashtag_use_case


@dataclass(frozen=True, slots=True)
class HashtagPayload:
    """The answer of a mutation on hashtags."""

    hashtag: HashtagRecord | None = None
    user_errors: list[Refusal] = field(default_factory=list)


# ---------------------------------------------------------------- fields


@batched(
    loader=lambda context: context.loaders.hashtag_follows if context.viewer is not None else None,
    key="id",
    finish=lambda _root, is_following, _context: is_following or False,
)
async def viewer_is_following(root: HashtagRecord, info: Info) -> bool:
    if info.context.viewer is None:
        return False
    return await info.context.loaders.hashtag_follows.load(root.id)


async def posts(root: HashtagRecord, info: Info, first: First = 20, after: After = strawberry.UNSET) -> Connection[PostRecord]:
    context = info.context
    page = await list_hashtag_posts(
        context.backends, hashtag_id=root.id, viewer_id=context.viewer_id, page=forward_page(first, given(after))
    )
    return to_post_connection(context, page)


@batched(loader=lambda context: context.loaders.hashtags_by_name, key="hashtag")
async def named_hashtag(root: TextEntityRecord, info: Info) -> HashtagRecord | None:
    return await info.context.loaders.hashtags_by_name.load(root.hashtag) if root.hashtag is not None else None


@batched(loader=lambda context: context.loaders.hashtags, key="hashtag_id")
async def reason_hashtag(root: FeedReason, info: Info) -> HashtagRecord | None:
    return await info.context.loaders.hashtags.load(root.hashtag_id) if root.hashtag_id is not None else None


# ---------------------------------------------------------------- queries


async def hashtag(
    info: Info, name: Annotated[str, strawberry.argument(description="Without regard to case, with or without the #.")]
) -> HashtagRecord | None:
    return await find_hashtag(info.context.backends, name)


async def followed_hashtags(info: Info, first: First = 20, after: After = strawberry.UNSET) -> Connection[HashtagRecord]:
    viewer_id = info.context.require_viewer_id()
    return await list_followed_hashtags(info.context.backends, viewer_id=viewer_id, page=forward_page(first, given(after)))


# ---------------------------------------------------------------- mutations


async def follow_hashtag(context: OperationContext, name: str) -> HashtagPayload:
    viewer_id = context.require_viewer_id()
    try:
        followed = await follow_hashtag_use_case(context.backends, viewer_id=viewer_id, name=name)
    except RefusedError as error:
        return HashtagPayload(user_errors=list(error.refusals))
    context.forget_loaded()
    return HashtagPayload(followed)


async def unfollow_hashtag(context: OperationContext, name: str) -> HashtagPayload:
    viewer_id = context.require_viewer_id()
    try:
        unfollowed = await unfollow_hashtag_use_case(context.backends, viewer_id=viewer_id, name=name)
    except RefusedError as error:
        return HashtagPayload(user_errors=list(error.refusals))
    context.forget_loaded()
    return HashtagPayload(unfollowed)
