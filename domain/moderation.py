"""What moderators do, and what they are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum, auto


class ModerationChange(Enum):
    """SUSPEND: the account exists for nobody. SHADOW_BAN: for itself alone. RESTORE lifts both."""

    SUSPEND = auto()
    SHADOW_BAN = auto()
    RESTORE = auto()


class ReportReason(StrEnum):
    """Why somebody thinks that a post should not be here."""

    SPAM = "SPAM"
    ABUSE = "ABUSE"
    ILLEGAL = "ILLEGAL"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class ReportedPost:
    """A post with what was reported about it. `comments`: what reporters wrote, newest first, only some of many.

    `is_closed`: nothing is left to do, since a moderator has dealt with all reports or the post is gone.
    """

    post_id: int
    author: str
    text: str
    is_deleted: bool
    is_closed: bool
    count: int
    reasons: dict[ReportReason, int]
    comments: list[str]
    first_at: datetime
    newest_at: datetime
