"""What people do that others are told of, and that the ranking learns from."""

from __future__ import annotations

from enum import StrEnum


class ActivityKind(StrEnum):
    """What has changed, for better or worse: a like and its end are the same kind, since whether it is there is read later."""

    POST = "post"
    """A post or quote was published or edited (subject: the post)."""
    LIKE = "like"
    """Subject: the post."""
    COMMENT = "comment"
    """Subject: the comment."""
    SHARE = "share"
    """A share or quote (subject: itself; its row, deleted or not, names what it shares)."""
    BOOKMARK = "bookmark"
    """Subject: the post. Nobody is told; the ranking learns."""
    FOLLOW = "follow"
    """Subject: the account that is followed."""
    FOLLOW_REQUEST = "follow_request"
    """Subject: the account that is asked."""
