"""Mutations on the reader's place in the feed."""

from __future__ import annotations

from typing import Annotated

import strawberry

from resolvers import feeds
from resolvers.context import Info
from resolvers.feeds import PositionPayload
from schema.feed import FeedPosition
from schema.inputs import INPUT
from schema.interfaces import UserError
from schema.payloads import ERRORS
from schema.records import represents


@strawberry.input(description="How far the viewer has read.")
class MarkFeedSeenInput:
    cursor: str = strawberry.field(description="The cursor of the newest entry that was seen.")


@represents(PositionPayload)
@strawberry.type(description="The answer to markFeedSeen.")
class MarkFeedSeenPayload:
    position: FeedPosition | None = strawberry.field(description="The reading position as it is now.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


async def _mark_feed_seen(info: Info, input: Annotated[MarkFeedSeenInput, INPUT]) -> PositionPayload:  # noqa: A002
    return await feeds.mark_feed_seen(info.context, input.cursor)


@strawberry.type
class FeedMutations:
    mark_feed_seen = strawberry.mutation(
        resolver=_mark_feed_seen,
        graphql_type=MarkFeedSeenPayload | None,
        description="Moves the viewer's reading position forward; never back, from however many devices.",
    )
