"""What people do with posts, as one viewer is shown it, and what it is worth to the ranking."""

from __future__ import annotations

from dataclasses import dataclass

LIKE_WEIGHT = 1.0
COMMENT_WEIGHT = 2.0
SHARE_WEIGHT = 2.0
"""A post's engagement score is what came with an import plus each like, comment and share (quotes too) by its weight; imports
weigh the likes and reposts of their files alike."""


@dataclass(frozen=True, slots=True)
class ViewerMarks:
    """What a viewer has done with one post; nobody else is shown it."""

    has_liked: bool
    has_bookmarked: bool


NO_MARKS = ViewerMarks(has_liked=False, has_bookmarked=False)
