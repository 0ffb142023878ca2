"""What a client of the live feed is told, one after the other. Every event says where to resume behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from domain.feed import FeedEntry
from domain.records import PostFacts
from services.feeds.feed_events import FeedResetReason


@dataclass(frozen=True, slots=True)
class NewPost:
    """An entry that has just come into the feed. `cursor`: where to resume.

    `shared` is one and the same object for all receivers whose entry differs in nothing but cursors: what is made of it for one
    of them may be kept there for the others.
    """

    cursor: str
    edge: FeedEntry
    shared: dict[int, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChangedPost:
    """An entry stays, and its post reads differently now. `facts`: of the entry's node; `shared` as above."""

    cursor: str
    facts: PostFacts
    shared: dict[int, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RemovedPost:
    """No entry with this node is in the feed any more."""

    cursor: str
    post_id: int


@dataclass(frozen=True, slots=True)
class ResetFeed:
    """Nobody can say what has changed: the client fetches its feed again, and then goes on from `cursor`."""

    cursor: str
    reason: FeedResetReason


@dataclass(frozen=True, slots=True)
class Beat:
    """Nothing has happened up to `cursor`."""

    cursor: str


WireEvent = NewPost | ChangedPost | RemovedPost | ResetFeed | Beat


@dataclass(frozen=True, slots=True)
class MissedEvents:
    """Events behind a cursor, oldest first. `cursor`: behind all of them; `has_more`: there are more than were asked for."""

    events: list[WireEvent]
    cursor: str
    has_more: bool
