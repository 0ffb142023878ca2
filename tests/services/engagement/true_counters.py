"""Likes and comments counted anew by plain SQL, and compared with what is shown, in one snapshot."""

from __future__ import annotations

from sqlalchemy import text

from services.backends import Backends

_WRONG = text(
    """
    SELECT p.id, p.like_count + coalesce((SELECT sum(likes) FROM counter_changes WHERE post_id = p.id), 0) AS shown_likes,
      (SELECT count(*) FROM likes WHERE post_id = p.id) AS likes,
      p.comment_count + coalesce((SELECT sum(comments) FROM counter_changes WHERE post_id = p.id), 0) AS shown_comments,
      (SELECT count(*) FROM comments WHERE post_id = p.id AND deleted_at IS NULL) AS comments,
      p.engagement_score, p.imported_engagement + p.like_count + 2 * p.comment_count + 2 * p.share_count AS score
    FROM posts p
    """
)
_AT_REST = text("SELECT id, like_count, comment_count FROM posts WHERE id = :id")


async def wrong_counters(backends: Backends) -> list[tuple[object, ...]]:
    """The posts whose shown counts are not those of their rows, or whose score is not that of their counts."""
    async with backends.database.reading() as session:
        rows = [tuple(row) for row in await session.execute(_WRONG)]
    return [row for row in rows if row[1] != row[2] or row[3] != row[4] or abs(row[5] - row[6]) > 1e-6]


async def stored_counts(backends: Backends, post_id: int) -> tuple[int, int]:
    """(likes, comments) of the post's row alone."""
    async with backends.database.reading() as session:
        row = (await session.execute(_AT_REST, {"id": post_id})).one()
    return row[1], row[2]


async def changes_in_flight(backends: Backends) -> int:
    async with backends.database.reading() as session:
        return int((await session.execute(text("SELECT count(*) FROM counter_changes"))).scalar_one())
