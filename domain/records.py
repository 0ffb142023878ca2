"""What the layers hand to one another: frozen records, one per thing that clients see.

A resolver returns these; `schema/` attaches the GraphQL types. Field names are the GraphQL names in snake case, so that plain
fields need no resolver (a test walks the schema and says so).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any


class Visibility(StrEnum):
    """Who may see a post."""

    PUBLIC = "PUBLIC"
    FRIENDS = "FRIENDS"
    PRIVATE = "PRIVATE"


class FollowState(StrEnum):
    """How the viewer stands to an account."""

    NOT_FOLLOWING = "NOT_FOLLOWING"
    REQUESTED = "REQUESTED"
    FOLLOWING = "FOLLOWING"


class Delivery(StrEnum):
    """How a post reaches its followers' feeds; decided once and stored with the post."""

    PUSH = "PUSH"
    PULL = "PULL"


class TextEntityKind(StrEnum):
    """What a span of a text is."""

    MENTION = "MENTION"
    HASHTAG = "HASHTAG"
    LINK = "LINK"


@dataclass(frozen=True, slots=True)
class UserRecord:
    """An account as everybody sees it; what depends on the viewer is loaded apart."""

    id: int
    external_id: str
    username: str
    display_name: str
    bio: str
    avatar_url: str | None
    is_verified: bool
    is_private: bool
    is_suspended: bool
    is_shadow_banned: bool
    created_at: datetime
    follower_count: int
    following_count: int
    post_count: int
    avatar_key: str | None = None
    """Of a picture among this server's media, which goes before `avatar_url`."""
    rendered_json: tuple[Any, ...] | None = field(default=None, init=False, repr=False, compare=False)
    """Of this very object, for answers: see `graphql_compiler/protocol.py`."""


@dataclass(frozen=True, slots=True)
class LocationRecord:
    """A place as its author wrote it. Degrees; both or neither."""

    name: str
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True)
class TextEntityRecord:
    """A mention, hashtag or link. `start` and `end` count Unicode code points."""

    kind: TextEntityKind
    start: int
    end: int
    text: str
    user_id: int | None
    hashtag: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class PostRecord:
    """A post as everybody who may see it sees it."""

    id: int
    author_id: int
    text: str
    entity_rows: list[dict[str, Any]]
    location: LocationRecord | None
    visibility: Visibility
    created_at: datetime
    edited_at: datetime | None
    is_deleted: bool
    like_count: int
    comment_count: int
    share_count: int
    delivery: Delivery | None
    shared_post_id: int | None
    """What a quote or a share passes on."""
    is_plain_share: bool
    """Passes another post on without words: no post of its own but a mark on that one, its *root*."""
    rendered_json: tuple[Any, ...] | None = field(default=None, init=False, repr=False, compare=False)
    """Of this very object, for answers: see `graphql_compiler/protocol.py`."""
    known_author: UserRecord | None = field(default=None, init=False, repr=False, compare=False)
    """Its author, where they were read together."""
    root_id: int = field(init=False, repr=False, compare=False)
    """The post that a feed entry is about: of a share without words what it shares, otherwise the post itself."""

    def __post_init__(self) -> None:
        is_about_another = self.is_plain_share and self.shared_post_id is not None
        object.__setattr__(self, "root_id", self.shared_post_id if is_about_another else self.id)

    def by(self, author: UserRecord) -> PostRecord:
        """The same with its author: the same object where nobody else was known."""
        if self.known_author is author:
            return self
        made = self if self.known_author is None else replace(self)
        object.__setattr__(made, "known_author", author)
        return made

    @property
    def is_share(self) -> bool:
        """Whether it passes another post on, with or without words."""
        return self.shared_post_id is not None

    @property
    def counts(self) -> PostCounts:
        """What is counted about it."""
        return PostCounts(self.id, self.like_count, self.comment_count, self.share_count)


@dataclass(frozen=True, slots=True)
class HashtagRecord:
    """A hashtag that was used or followed at some time. `name` is normalised; `post_count` counts existing public posts."""

    id: int
    name: str
    post_count: int


@dataclass(frozen=True, slots=True)
class TrendingHashtagRecord:
    """A hashtag that is used more than usual. `recent_post_count`: existing public posts with it within the last two days."""

    hashtag: HashtagRecord
    recent_post_count: int


@dataclass(frozen=True, slots=True)
class Relation:
    """How a viewer stands to another account, both ways. Only the viewer's own mutes and settings are known to the viewer."""

    follows: bool = False
    is_followed_by: bool = False
    has_requested: bool = False
    is_blocking: bool = False
    is_blocked_by: bool = False
    is_muting: bool = False
    """A mute that has ended by time counts as none."""
    muted_until: datetime | None = None
    close_friend: bool = False
    hide_shares: bool = False
    daily_limit: int | None = None
    """Of the follow: at most so many reasons by the account a UTC day."""
    kept_until: int | None = None
    """The account is no longer followed, but its reasons up to this id stay."""


NO_RELATION = Relation()


@dataclass(frozen=True, slots=True)
class PostFacts:
    """All that the visibility rule needs to judge a post: who wrote it, and how the viewer stands to them."""

    post: PostRecord
    author: UserRecord
    relation: Relation
    root: PostFacts | None = None
    """Of a share without words the same of what it shares; None where that no longer exists at all."""

    @property
    def about(self) -> PostFacts:
        """The facts of the post that an entry is about: of a share without words its root's, otherwise its own."""
        return self.root if self.root is not None else self


@dataclass(frozen=True, slots=True)
class VisiblePost:
    """A post that has passed the visibility rule for one viewer, with its author: nothing else leaves `services`."""

    post: PostRecord
    author: UserRecord
    relation: Relation


@dataclass(frozen=True, slots=True)
class PostCounts:
    """What is counted about a post, the same for everybody who sees it."""

    post_id: int
    like_count: int
    comment_count: int
    share_count: int
