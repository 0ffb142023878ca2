"""The words of the home feed: order, state, reasons, pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.paging import PageInfo
from domain.records import Delivery, PostRecord, Relation, UserRecord


class FeedOrder(StrEnum):
    """LATEST: by id, newest first. RANKED: by a model."""

    LATEST = "LATEST"
    RANKED = "RANKED"


class FeedState(StrEnum):
    """READY: there is more below. The others say why nothing is left."""

    READY = "READY"
    EMPTY_NO_FOLLOWS = "EMPTY_NO_FOLLOWS"
    EMPTY_NO_POSTS = "EMPTY_NO_POSTS"
    END_OF_FEED = "END_OF_FEED"


class FeedDegradation(StrEnum):
    """What was not available while a page was made. What it costs stands in `FeedStatus.complete`."""

    CACHE_UNAVAILABLE = "CACHE_UNAVAILABLE"
    DATABASE_UNAVAILABLE = "DATABASE_UNAVAILABLE"
    RANKER_UNAVAILABLE = "RANKER_UNAVAILABLE"
    PULLED_AUTHORS_UNAVAILABLE = "PULLED_AUTHORS_UNAVAILABLE"
    FAN_OUT_DELAYED = "FAN_OUT_DELAYED"


class FeedReasonKind(StrEnum):
    """By which way an entry came into the feed."""

    OWN_POST = "OWN_POST"
    FOLLOWED_AUTHOR = "FOLLOWED_AUTHOR"
    FOLLOWED_SHARER = "FOLLOWED_SHARER"
    FOLLOWED_HASHTAG = "FOLLOWED_HASHTAG"


class FeedDelivery(StrEnum):
    """PUSHED: written into the timeline when posted. PULLED: merged when read."""

    PUSHED = "PUSHED"
    PULLED = "PULLED"


@dataclass(frozen=True, slots=True)
class FeedReason:
    """One valid reason. `users`: whom the viewer follows that led to the entry, newest first, at most 8."""

    kind: FeedReasonKind
    delivery: FeedDelivery
    users: list[UserRecord]
    user_count: int


@dataclass(frozen=True, slots=True)
class RankingFactor:
    """One feature of a ranked entry: its value, and what it added to the score."""

    name: str
    value: float
    contribution: float


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One entry of a page; `cursor` goes on below it."""

    cursor: str
    node: PostRecord
    author: UserRecord
    relation: Relation
    reasons: list[FeedReason]

    @property
    def score(self) -> float | None:
        """None in LATEST order."""
        return None

    @property
    def ranking_factors(self) -> list[RankingFactor]:
        """Empty in LATEST order."""
        return []


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """What the reader may rely on: `complete` = every entry committed before `as_of` is on its page."""

    state: FeedState
    complete: bool
    as_of: datetime
    order: FeedOrder
    ranked_by: str | None
    degradations: list[FeedDegradation]


@dataclass(frozen=True, slots=True)
class FeedPage:
    """A page of the home feed."""

    edges: list[FeedEntry]
    page_info: PageInfo
    status: FeedStatus
    event_cursor: str

    @property
    def nodes(self) -> list[PostRecord]:
        return [edge.node for edge in self.edges]


def reason_for(post: PostRecord, author: UserRecord, *, viewer_id: int) -> FeedReason:
    """Why a post that is in the viewer's feed is there. Own posts, and those not yet decided, are merged when read."""
    delivery = FeedDelivery.PUSHED if post.delivery is Delivery.PUSH else FeedDelivery.PULLED
    if post.author_id == viewer_id:
        return FeedReason(FeedReasonKind.OWN_POST, FeedDelivery.PULLED, [], 0)
    return FeedReason(FeedReasonKind.FOLLOWED_AUTHOR, delivery, [author], 1)
