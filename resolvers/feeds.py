"""The home feed, by request and live."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated

import strawberry

from domain.errors import Refusal, RefusedError
from domain.feed import FeedEntry, FeedExplanation, FeedOrder, FeedPage, FeedPosition
from domain.ids import local_id
from domain.paging import two_way_page
from domain.records import VisiblePost
from resolvers.arguments import After, Before, EventCursor, First, Last
from resolvers.context import Info, OperationContext, given
from services.feeds.explain_feed_post import explain_feed_post as explain_feed_post_use_case
from services.feeds.feed_position import mark_feed_seen as mark_feed_seen_use_case
from services.feeds.feed_position import read_feed_position
from services.feeds.read_home_feed import read_home_feed
from services.feeds.watch_home_feed import NewPost, watch_home_feed


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
    )
    for entry in page.edges:
        _remember(info, entry)
    if page.extras is not None:
        context.loaders.remember_extras(page.extras)
    return page


async def feed_position(info: Info) -> FeedPosition:
    context = info.context
    return await read_feed_position(context.backends, viewer_id=context.require_viewer_id())


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


async def new_posts(info: Info, after: EventCursor = strawberry.UNSET) -> AsyncIterator[NewPost]:
    context = info.context
    viewer_id = context.require_viewer_id()
    async for event in watch_home_feed(context.backends, context.live_feed, viewer_id=viewer_id, after=given(after)):
        yield event


def added_edge(root: NewPost, info: Info) -> FeedEntry:
    _remember(info, root.edge)
    return root.edge


def _remember(info: Info, entry: FeedEntry) -> None:
    loaders = info.context.loaders
    loaders.remember_user(entry.facts.author)
    loaders.relations.prime(entry.facts.author.id, entry.facts.relation)
    if entry.facts.root is not None:
        root = entry.facts.root
        loaders.posts.prime(root.post.id, VisiblePost(root.post, root.author, root.relation))
        loaders.remember_user(root.author)
        loaders.relations.prime(root.author.id, root.relation)
