"""The home feed by request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import strawberry

from domain.errors import Refusal, RefusedError
from domain.feed import FeedExplanation, FeedOrder, FeedPage, FeedPosition
from domain.ids import local_id
from domain.paging import two_way_page
from resolvers.arguments import After, Before, First, Last
from resolvers.context import Info, OperationContext, given
from services.feeds.explain_feed_post import explain_feed_post as explain_feed_post_use_case
from services.feeds.feed_position import mark_feed_seen as mark_feed_seen_use_case
from services.feeds.feed_position import read_feed_position
from services.feeds.read_home_feed import read_home_feed

_MARKS = frozenset({"viewerHasLiked", "viewerHasBookmarked"})
"""Fields that are answered by what the viewer has done with a post."""


async def feed(
    info: Info,
    first: First = strawberry.UNSET,
    after: After = strawberry.UNSET,
    last: Last = strawberry.UNSET,
    before: Before = strawberry.UNSET,
    order: Annotated[
        FeedOrder | None, strawberry.argument(description="Left out: the viewer's preference.")
    ] = strawberry.UNSET,
) -> FeedPage:
    context = info.context
    viewer_id = context.require_viewer_id()
    page = await read_home_feed(
        context.backends,
        viewer_id=viewer_id,
        page=two_way_page(given(first), given(after), given(last), given(before)),
        order=given(order),
        seen=context.seen,
        with_marks=not _MARKS.isdisjoint(context.asked_fields),
    )
    context.loaders.remember_page(page)
    return page


async def feed_position(info: Info) -> FeedPosition:
    context = info.context
    return await read_feed_position(context.backends, viewer_id=context.require_viewer_id(), seen=context.seen)


async def explain_feed_post(
    info: Info,
    post_id: Annotated[strawberry.ID, strawberry.argument(description="Any post, in the feed or not.")],
) -> FeedExplanation:
    context = info.context
    return await explain_feed_post_use_case(
        context.backends, viewer_id=context.require_viewer_id(), post_id=local_id(post_id, "Post")
    )


@dataclass(frozen=True, slots=True)
class PositionPayload:
    """The answer of markFeedSeen."""

    position: FeedPosition | None = None
    user_errors: list[Refusal] = field(default_factory=list)


async def mark_feed_seen(context: OperationContext, cursor: str) -> PositionPayload:
    viewer_id = context.require_viewer_id()
    try:
        return PositionPayload(await mark_feed_seen_use_case(context.backends, viewer_id=viewer_id, cursor=cursor))
    except RefusedError as error:
        return PositionPayload(user_errors=list(error.refusals))
