"""The truth about a home feed, as one plain query, written apart from the code that it judges."""

from __future__ import annotations

from sqlalchemy import text

from services.backends import Backends

_FEED = text(
    """
    SELECT p.id
    FROM posts p
    JOIN users author ON author.id = p.author_id
    WHERE p.deleted_at IS NULL
      AND author.suspended_at IS NULL
      AND (
        p.author_id = :viewer
        OR (
          author.shadow_banned_at IS NULL
          AND p.author_id IN (SELECT followee_id FROM follows WHERE follower_id = :viewer)
          AND (
            p.visibility = 'PUBLIC'
            OR (p.visibility = 'FRIENDS'
                AND p.author_id IN (SELECT follower_id FROM follows WHERE followee_id = :viewer))
          )
        )
      )
    ORDER BY p.id DESC
    """
)


async def expected_feed(backends: Backends, viewer_id: int) -> list[int]:
    """Every post id of the viewer's feed, newest first."""
    async with backends.database.reading() as session:
        return list((await session.execute(_FEED, {"viewer": viewer_id})).scalars())
