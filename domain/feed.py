"""The words of the home feed: order, state, reasons, pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial
from operator import attrgetter
from typing import NamedTuple, cast

from domain.engagement import ViewerMarks
from domain.media import MediaRecord
from domain.paging import PageInfo
from domain.records import HashtagRecord, PostFacts, PostRecord, Relation, UserRecord, VisiblePost


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


class FeedRule(StrEnum):
    """Why a post is, or is not, in a feed: the rule that decided."""

    SHOWN = "SHOWN"
    NOT_FOLLOWING = "NOT_FOLLOWING"
    BLOCKED = "BLOCKED"
    MUTED = "MUTED"
    MUTED_WORD = "MUTED_WORD"
    NOT_VISIBLE = "NOT_VISIBLE"
    DELETED = "DELETED"
    SHARES_HIDDEN = "SHARES_HIDDEN"
    REPEATED = "REPEATED"
    DAILY_LIMIT = "DAILY_LIMIT"
    ALREADY_SEEN = "ALREADY_SEEN"


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
    hashtag_id: int | None = None
    """Of FOLLOWED_HASHTAG."""


@dataclass(frozen=True, slots=True)
class RankingFactor:
    """One feature of a ranked entry: its value, and what it added to the score."""

    name: str
    value: float
    contribution: float


class FeedEntry(NamedTuple):
    """One entry of a page. A tuple, so that a page of them is made without running code for each."""

    cursor: str
    """The place of the entry on the walk that met it; a page goes on below it."""
    facts: PostFacts
    """The entry's post and what came with it."""
    node: PostRecord
    """The post, or the share while a share is what brought it."""
    why: list[FeedReason] | Callable[[PostFacts], list[FeedReason]]
    """The reasons, or what makes them of the facts: not everybody who reads a page asks for them."""

    @classmethod
    def of(
        cls, cursor: str, facts: PostFacts, reasons: list[FeedReason] | Callable[[PostFacts], list[FeedReason]]
    ) -> FeedEntry:
        """An entry about the post of the facts."""
        return cls(cursor, facts, facts.post, reasons)

    @classmethod
    def of_many(
        cls,
        cursors: Iterable[str],
        facts: Sequence[PostFacts],
        reasons: Iterable[list[FeedReason] | Callable[[PostFacts], list[FeedReason]]],
    ) -> list[FeedEntry]:
        """The same for many."""
        return [*map(_make_entry, zip(cursors, facts, map(_post_of, facts), reasons, strict=False))]

    @property
    def reasons(self) -> list[FeedReason]:
        """The valid reasons that it stands for."""
        why = self.why
        return why if isinstance(why, list) else why(self.facts)

    def with_cursor(self, cursor: str) -> FeedEntry:
        """The same entry as another reader, or another walk, meets it."""
        return FeedEntry(cursor, self.facts, self.node, self.why)

    @property
    def score(self) -> float | None:
        """None in LATEST order."""
        return None

    @property
    def ranking_factors(self) -> list[RankingFactor]:
        """Empty in LATEST order."""
        return []

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FeedEntry):
            return NotImplemented
        return (self.cursor, self.facts, self.reasons) == (other.cursor, other.facts, other.reasons)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.cursor)


_make_entry = cast("Callable[[Iterable[object]], FeedEntry]", partial(tuple.__new__, FeedEntry))
_post_of = attrgetter("post")


class FeedStatus(NamedTuple):
    """What the reader may rely on: `complete` = every entry committed before `as_of` is on its page."""

    state: FeedState
    complete: bool
    as_of: datetime
    order: FeedOrder
    ranked_by: str | None
    degradations: list[FeedDegradation]


@dataclass(frozen=True, slots=True)
class FeedPosition:
    """How far the viewer has read. `cursor` is None where nothing was marked yet; `unseen_count` stops at 1,000."""

    cursor: str | None
    unseen_count: int


@dataclass(frozen=True, slots=True)
class FeedExplanation:
    """Whether a post is in the viewer's feed, and the rule that decided."""

    shown: bool
    rule: FeedRule
    message: str


@dataclass(frozen=True, slots=True)
class PageExtras:
    """What clients commonly ask of a page's entries beyond the entries themselves, by id.

    `posts`: what quotes quote, as far as the viewer may see it. `shared_roots`: whether the viewer has shared each root.
    `marks`: what else the viewer has done with it.
    `relations`: how the viewer stands to everybody who is named.
    """

    posts: dict[int, VisiblePost | None]
    shared_roots: dict[int, bool]
    marks: dict[int, ViewerMarks]
    hashtags: dict[int, HashtagRecord]
    relations: dict[int, Relation]
    media: dict[int, list[MediaRecord]] = field(default_factory=dict)
    """Of every post that is shown or quoted."""


class FeedPage(NamedTuple):
    """A page of the home feed. `extras` come with it where nobody could be asked for them afterwards."""

    edges: list[FeedEntry]
    page_info: PageInfo
    status: FeedStatus
    moment: str | Callable[[], str]
    """The event cursor, or what makes it: few who read a page go on with events."""
    extras: PageExtras | None = None
    marks: Mapping[int, ViewerMarks] | None = None
    """What the viewer has done with posts of the page, by post; those that are missing were not asked for."""

    @property
    def event_cursor(self) -> str:
        """The moment from which events go on."""
        return self.moment if isinstance(self.moment, str) else self.moment()

    @property
    def nodes(self) -> list[PostRecord]:
        return [edge.node for edge in self.edges]
