"""Comments: writing them, and loading them with what the visibility rule needs.

Writing is one statement each: the comment, what it is counted by, and the promise to look at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import text

from db.activities import INSERT_SQL
from db.counters import COMMENT_COUNT, LIKE_COUNT
from db.database import ReadSession, WriteSession
from db.rows import RELATION_COLUMNS, RELATION_JOINS, USER_COLUMNS, USER_WIDTH, to_relation, to_user
from domain import subjects
from domain.activities import ActivityKind
from domain.comments import CommentFacts, CommentRecord
from domain.ids import SHARD_MASK, created_at_of
from domain.records import PostCounts

COMMENT_COLUMNS = "c.id, c.post_id, c.author_id, c.text, p.author_id"
COMMENT_WIDTH = 5

_FACTS = f"""
    SELECT {COMMENT_COLUMNS}, {USER_COLUMNS}, {RELATION_COLUMNS}
    FROM comments c JOIN posts p ON p.id = c.post_id JOIN users u ON u.id = c.author_id {RELATION_JOINS}
    WHERE c.deleted_at IS NULL AND
"""
_KIND = ActivityKind.COMMENT.value
# The counts are those of before: a statement does not see what it changes itself.
_COUNTS = f"p.id, {LIKE_COUNT}, {COMMENT_COUNT}, p.share_count"
_INSERT = text(
    f"""
    WITH made AS (
      INSERT INTO comments (id, post_id, author_id, text)
      SELECT next_id(CAST(:shard AS bigint)), p.id, CAST(:author_id AS bigint), CAST(:text AS text)
      FROM posts p WHERE p.id = :post_id AND p.deleted_at IS NULL
      RETURNING id, post_id, author_id, text
    ),
    counted AS (INSERT INTO counter_changes (post_id, comments) SELECT post_id, 1 FROM made),
    noted AS ({INSERT_SQL.format(source=f"SELECT '{_KIND}', author_id, id FROM made")})
    SELECT {COMMENT_COLUMNS}, {_COUNTS} FROM made c JOIN posts p ON p.id = c.post_id
    """
)
_DELETE = text(
    f"""
    WITH gone AS (
      UPDATE comments SET deleted_at = clock_timestamp() WHERE id = :comment_id AND deleted_at IS NULL
      RETURNING id, post_id, author_id
    ),
    counted AS (INSERT INTO counter_changes (post_id, comments) SELECT post_id, -1 FROM gone),
    noted AS ({INSERT_SQL.format(source=f"SELECT '{_KIND}', author_id, id FROM gone")})
    SELECT {_COUNTS} FROM gone JOIN posts p ON p.id = gone.post_id
    """
)
_BY_IDS = text(f"{_FACTS} c.id = ANY(CAST(:ids AS bigint[]))")
_OF_POST = text(f"{_FACTS} c.post_id = :post_id AND c.id < :below_id ORDER BY c.id DESC LIMIT :size")


async def insert_comment(
    session: WriteSession, *, post_id: int, author_id: int, body: str
) -> tuple[CommentRecord, PostCounts] | None:
    """The new comment, and how its post is counted with it; None where the post is gone."""
    # What the author was shown of the post before is too old for them now.
    session.touch(subjects.marks(author_id, post_id))
    parameters = {"post_id": post_id, "author_id": author_id, "shard": author_id & SHARD_MASK, "text": body}
    row = (await session.execute(_INSERT, parameters)).first()
    return (to_comment(row[:COMMENT_WIDTH]), _counts(row[COMMENT_WIDTH:], 1)) if row is not None else None


async def mark_comment_deleted(session: WriteSession, comment: CommentRecord, *, viewer_id: int) -> PostCounts | None:
    """The row stays, so that its id is never given out again. How its post is counted without it; None where it is gone."""
    session.touch(subjects.marks(viewer_id, comment.post_id))
    row = (await session.execute(_DELETE, {"comment_id": comment.id})).first()
    return _counts(row, -1) if row is not None else None


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


def _counts(row: Sequence[Any], change: int) -> PostCounts:
    post_id, likes, comments, shares = row
    return PostCounts(post_id, likes, max(0, comments + change), shares)
