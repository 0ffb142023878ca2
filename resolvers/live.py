"""What happens to a feed and to counters: live, and by request what was missed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

import strawberry

from domain.errors import InvalidArgumentError, UnavailableError
from domain.feed import FeedEntry
from domain.ids import local_id, to_global_id
from domain.paging import MAX_PAGE_SIZE
from domain.records import PostCounts, PostRecord
from resolvers.arguments import EventCursor
from resolvers.context import Info, given
from services.feeds.wire_events import ChangedPost, MissedEvents, NewPost, RemovedPost, WireEvent
from services.live.watch_feed import read_missed_events, watch_feed_events, watch_home_feed

MISSED_EVENTS = 100


async def new_posts(info: Info, after: EventCursor = strawberry.UNSET) -> AsyncIterator[NewPost]:
    context = info.context
    viewer_id = context.require_viewer_id()
    start = context.resume_after or given(after)
    async with aclosing(watch_home_feed(context.backends, context.live_hub, viewer_id=viewer_id, after=start)) as events:
        async for event in events:
            yield event


async def feed_events(info: Info, after: EventCursor = strawberry.UNSET) -> AsyncIterator[WireEvent]:
    context = info.context
    viewer_id = context.require_viewer_id()
    start = context.resume_after or given(after)
    async with aclosing(watch_feed_events(context.backends, context.live_hub, viewer_id=viewer_id, after=start)) as events:
        async for event in events:
            yield event


async def missed_feed_events(
    info: Info,
    after: Annotated[str, strawberry.argument(description="An eventCursor, or the cursor of the last event received.")],
    first: Annotated[
        int | None, strawberry.argument(description="How many events at most, 0 to 100; 100 when left out.")
    ] = MISSED_EVENTS,
) -> MissedEvents:
    context = info.context
    return await read_missed_events(
        context.backends,
        viewer_id=context.require_viewer_id(),
        after=after,
        first=MISSED_EVENTS if first is None else first,
    )


async def post_counts(
    info: Info,
    post_ids: Annotated[
        list[strawberry.ID], strawberry.argument(description="1 to 100 ids; those that the viewer may not see are silent.")
    ],
) -> AsyncIterator[PostCounts]:
    context = info.context
    if not 1 <= len(post_ids) <= MAX_PAGE_SIZE:
        raise InvalidArgumentError(f"postIds: 1 to {MAX_PAGE_SIZE} at once")
    if context.post_counts is None:
        raise UnavailableError("there are no live counters here")
    known = {number for post_id in post_ids if (number := local_id(post_id, "Post")) is not None}
    async with aclosing(context.post_counts.watch(known, viewer_id=context.viewer_id)) as changes:
        async for change in changes:
            yield change


# ---------------------------------------------------------------- fields


def added_edge(root: NewPost, info: Info) -> FeedEntry:
    info.context.loaders.remember_facts([root.edge.facts])
    return root.edge


def changed_post(root: ChangedPost, info: Info) -> PostRecord:
    info.context.loaders.remember_facts([root.facts])
    return root.facts.post


def post_id(root: RemovedPost | PostCounts) -> strawberry.ID:
    return strawberry.ID(to_global_id("Post", root.post_id))
