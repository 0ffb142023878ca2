"""The home feed as clients see it."""

from __future__ import annotations

from datetime import datetime

import strawberry

from domain.feed import (
    FeedDegradation,
    FeedDelivery,
    FeedEntry,
    FeedOrder,
    FeedPage,
    FeedReasonKind,
    FeedRule,
    FeedState,
)
from domain.feed import FeedExplanation as FeedExplanationRecord
from domain.feed import FeedPosition as FeedPositionRecord
from domain.feed import FeedReason as FeedReasonRecord
from domain.feed import FeedStatus as FeedStatusRecord
from domain.feed import RankingFactor as RankingFactorRecord
from resolvers import hashtags
from schema.hashtags import Hashtag
from schema.interfaces import PageInfo
from schema.posts import Post
from schema.records import represents
from schema.users import User


@represents(FeedReasonRecord)
@strawberry.type(description="One way in which an entry came to be here.")
class FeedReason:
    kind: FeedReasonKind = strawberry.field(description="Which way.")
    delivery: FeedDelivery = strawberry.field(description="Whether it was pushed when written or pulled when read.")
    users: list[User] = strawberry.field(description="Those whom the viewer follows that led to it, newest first, at most 8.")
    user_count: int = strawberry.field(description="How many there are in all.")
    hashtag = strawberry.field(
        resolver=hashtags.reason_hashtag,
        graphql_type=Hashtag | None,
        description="The followed hashtag that led to it; null where another way did.",
    )


@represents(RankingFactorRecord)
@strawberry.type(description="One feature of a ranked entry.")
class RankingFactor:
    name: str = strawberry.field(description="The feature.")
    value: float = strawberry.field(description="Its value.")
    contribution: float = strawberry.field(description="What it added to the score.")


@represents(FeedEntry)
@strawberry.type(description="An entry of the home feed.")
class FeedEdge:
    cursor: str = strawberry.field(description="Goes on from here.")
    node: Post = strawberry.field(description="The post.")
    reasons: list[FeedReason] = strawberry.field(description="Why it is here.")
    score: float | None = strawberry.field(description="Null in LATEST order.")
    ranking_factors: list[RankingFactor] = strawberry.field(description="Empty in LATEST order.")


@represents(FeedPositionRecord)
@strawberry.type(description="The viewer's reading position, kept by the server, never moving backwards.")
class FeedPosition:
    cursor: str | None = strawberry.field(description="The newest entry that was seen; null where none was marked yet.")
    unseen_count: int = strawberry.field(description="How many entries of the feed are newer; stops at 1,000.")


@represents(FeedExplanationRecord)
@strawberry.type(description="Why a post is, or is not, in the viewer's feed.")
class FeedExplanation:
    shown: bool = strawberry.field(description="Whether it is there.")
    rule: FeedRule = strawberry.field(description="The rule that decided.")
    message: str = strawberry.field(description="The same for people.")


@represents(FeedStatusRecord)
@strawberry.type(
    description="What the reader may rely on: complete = every entry committed before asOf is on its page; newer ones may be."
)
class FeedStatus:
    state: FeedState = strawberry.field(description="Why the page ends where it ends.")
    complete: bool = strawberry.field(description="Whether every entry committed before asOf is on its page.")
    as_of: datetime = strawberry.field(description="The moment that the page shows.")
    order: FeedOrder = strawberry.field(description="The order that was really applied.")
    ranked_by: str | None = strawberry.field(description="The model that ranked the page; null in LATEST order.")
    degradations: list[FeedDegradation] = strawberry.field(description="What was not available.")


@represents(FeedPage)
@strawberry.type(description="A page of the home feed.")
class FeedConnection:
    edges: list[FeedEdge] = strawberry.field(description="The entries with their cursors and reasons.")
    nodes: list[Post] = strawberry.field(description="The posts alone.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in the feed.")
    status: FeedStatus = strawberry.field(description="What the reader may rely on.")
    event_cursor: str = strawberry.field(
        description="Give it to feedEvents(after:) or newPosts(after:): nothing between this page and the subscription is "
        "missed."
    )
