"""Words under a post."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.records import Relation, UserRecord
from domain.visibility import can_be_listed

MAX_COMMENT_LENGTH = 2_000
"""Code points."""


@dataclass(frozen=True, slots=True)
class CommentRecord:
    """A comment as everybody who may see it sees it. Its post is never a share without words."""

    id: int
    post_id: int
    author_id: int
    text: str
    created_at: datetime
    post_author_id: int
    """Who may delete it besides its author."""


@dataclass(frozen=True, slots=True)
class CommentFacts:
    """A comment that exists, who wrote it, and how the viewer stands to them. Its post has been judged apart."""

    comment: CommentRecord
    author: UserRecord
    relation: Relation


def can_see_comment(facts: CommentFacts, *, viewer_id: int | None) -> bool:
    """Whether a comment under a post that the viewer may see exists for the viewer too: as long as its author may be listed.

    That an account is private keeps its posts back, not what it says under somebody else's.
    """
    return can_be_listed(facts.author, facts.relation, viewer_id=viewer_id)


def can_delete_comment(comment: CommentRecord, *, viewer_id: int | None) -> bool:
    """Its author may, and the author of the post."""
    return viewer_id is not None and viewer_id in (comment.author_id, comment.post_author_id)
