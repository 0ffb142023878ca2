"""Comments: loading them with what the visibility rule needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import text

from db.database import ReadSession
from db.rows import RELATION_COLUMNS, RELATION_JOINS, USER_COLUMNS, USER_WIDTH, to_relation, to_user
from domain.comments import CommentFacts, CommentRecord
from domain.ids import created_at_of

COMMENT_COLUMNS = "c.id, c.post_id, c.author_id, c.text, p.author_id"
COMMENT_WIDTH = 5

_FACTS = f"""
    SELECT {COMMENT_COLUMNS}, {USER_COLUMNS}, {RELATION_COLUMNS}
    FROM comments c JOIN posts p ON p.id = c.post_id JOIN users u ON u.id = c.author_id {RELATION_JOINS}
    WHERE c.deleted_at IS NULL AND
"""
_BY_IDS = text(f"{_FACTS} c.id = ANY(CAST(:ids AS bigint[]))")
_OF_POST = text(f"{_FACTS} c.post_id = :post_id AND c.id < :below_id ORDER BY c.id DESC LIMIT :size")


async def load_comments(session: ReadSession, comment_ids: Iterable[int], *, viewer_id: int | None) -> dict[int, CommentFacts]:
    """The comments that exist, by id. Nothing is filtered yet, nor have their posts been looked at."""
    rows = await session.execute(_BY_IDS, {"ids": list(comment_ids), "viewer_id": viewer_id or 0})
    return {row[0]: _to_facts(row) for row in rows}


async def load_comments_of_post(
    session: ReadSession, post_id: int, *, viewer_id: int | None, below_id: int, size: int
) -> list[CommentFacts]:
    """A post's comments, newest first, below an id. Nothing is filtered yet."""
    parameters = {"post_id": post_id, "viewer_id": viewer_id or 0, "below_id": below_id, "size": size}
    return [_to_facts(row) for row in await session.execute(_OF_POST, parameters)]


def to_comment(row: Sequence[Any]) -> CommentRecord:
    """A row of COMMENT_COLUMNS."""
    comment_id, post_id, author_id, body, post_author_id = row
    return CommentRecord(comment_id, post_id, author_id, body, created_at_of(comment_id), post_author_id)


def _to_facts(row: Sequence[Any]) -> CommentFacts:
    end = COMMENT_WIDTH + USER_WIDTH
    return CommentFacts(to_comment(row[:COMMENT_WIDTH]), to_user(row[COMMENT_WIDTH:end]), to_relation(row[end:]))
