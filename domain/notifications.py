"""What somebody is told, and how it is grouped. Pure: who joins which group, who opens one, and who is already there.

A *group* is what a client sees as one notification: everybody who did the same to the same post within 12 hours of the first.
An actor counts once; somebody new moves the group to the top and makes it unread again, and somebody who took it back and does
it once more does not, in whichever group they stand: toggling tells nobody anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.ids import created_at_of

GROUP_WINDOW = timedelta(hours=12)
"""From a group's beginning: whoever comes later opens the next one."""
REMEMBERED = timedelta(days=30)
"""So long an actor of an earlier group is known there. Of mentions and close friends' posts, which are told once, for ever."""
MAX_ACTORS = 8
"""Named in one notification; the others are counted."""
MAX_MENTIONS = 50
"""Accounts that one text tells; those behind the first fifty are linked, not told."""
NO_POST = 0
"""In place of a post's id in groups that are about none."""


class NotificationKind(StrEnum):
    """What the actors did."""

    LIKE = "LIKE"
    COMMENT = "COMMENT"
    SHARE = "SHARE"
    FOLLOW = "FOLLOW"
    FOLLOW_REQUEST = "FOLLOW_REQUEST"
    MENTION = "MENTION"
    CLOSE_FRIEND_POST = "CLOSE_FRIEND_POST"


TOLD_ONCE = frozenset({NotificationKind.MENTION, NotificationKind.CLOSE_FRIEND_POST})
"""Kinds whose earlier groups are remembered for ever: editing an old post tells nobody of it again."""


@dataclass(frozen=True, slots=True)
class NotificationRecord:
    """A group as its recipient may see it now. `actor_ids`: the newest, at most MAX_ACTORS; `actor_count` counts all."""

    id: int
    recipient_id: int
    kind: NotificationKind
    post_id: int | None
    place: int
    """Its place in the list; grows when somebody new joins."""
    is_read: bool
    actor_ids: tuple[int, ...]
    actor_count: int
    comment_id: int | None
    """What the newest actor wrote, where it was a comment."""

    @property
    def created_at(self) -> datetime:
        """When the group began."""
        return created_at_of(self.id)


@dataclass(frozen=True, slots=True)
class GroupKey:
    """Who is told, of what, about which post (NO_POST: about none)."""

    recipient_id: int
    kind: NotificationKind
    post_id: int = NO_POST


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that an actor did and that is still so. At most one of `comment_id` and `share_id` is set."""

    key: GroupKey
    actor_id: int
    acted_at: datetime
    comment_id: int | None = None
    share_id: int | None = None
    """The share or quote, which the recipient must be able to see."""


@dataclass(frozen=True, slots=True)
class KnownActor:
    """The newest group of a key in which an actor stands."""

    group_id: int
    is_withdrawn: bool
    acted_at: datetime
    comment_id: int | None
    has_comment: bool
    """Whether that comment still exists."""
    share_id: int | None


@dataclass(frozen=True, slots=True)
class Placing:
    """What a deed does to the groups. `group_id` None: it opens a new one. `moves`: to the top, unread."""

    group_id: int | None
    moves: bool
    acted_at: datetime
    comment_id: int | None
    share_id: int | None


def place_deed(deed: Deed, known: KnownActor | None, current_group_id: int | None) -> Placing | None:
    """Where a deed belongs; None where it changes nothing. `current_group_id`: of the group of its key within the window."""
    fresh = Placing(current_group_id, True, deed.acted_at, deed.comment_id, deed.share_id)
    if known is None:
        return fresh
    is_newer = deed.comment_id is not None and deed.comment_id > (known.comment_id or 0)
    if is_newer and known.group_id != current_group_id:
        return fresh  # new words, after the window of the old ones
    if is_newer and not known.is_withdrawn and (known.has_comment or known.comment_id is None):
        return fresh  # one more comment by somebody who is there, and not in place of another: that is news, too
    comment_id = deed.comment_id
    if known.has_comment and not is_newer:
        comment_id = known.comment_id
    if not known.is_withdrawn and (comment_id, deed.share_id) == (known.comment_id, known.share_id):
        return None
    return Placing(known.group_id, False, known.acted_at, comment_id, deed.share_id)
