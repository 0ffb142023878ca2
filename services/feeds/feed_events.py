"""What happens to a viewer's home feed. `event_id` is the row of the outbox by which it came about."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from domain.feed import FeedEntry
from domain.records import PostFacts


class FeedResetReason(StrEnum):
    """Why a client has to fetch the feed again: too old a cursor; the events before are lost; too slow; too much at once."""

    WINDOW_EXPIRED = "WINDOW_EXPIRED"
    EPOCH_CHANGED = "EPOCH_CHANGED"
    LAGGED = "LAGGED"
    FEED_CHANGED = "FEED_CHANGED"


@dataclass(frozen=True, slots=True)
class Added:
    """An entry that was not in the feed is there now.

    `is_publication`: because its post (or share) has just been published; otherwise something else brought it, like a follow.
    `shared`: one and the same object for all receivers whose entries differ in cursors alone.
    """

    event_id: int
    entry: FeedEntry
    is_publication: bool
    shared: dict[int, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changed:
    """An entry stays, but its post, or what the post shares, reads differently now. `facts`: of the entry's node."""

    event_id: int
    facts: PostFacts
    shared: dict[int, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Removed:
    """No entry with this node is in the feed any more. `post_id`: of the post, or of the share while a share was shown."""

    event_id: int
    post_id: int


FeedChange = Added | Changed | Removed
