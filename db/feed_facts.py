"""What the feed rule needs beside the posts themselves: other reasons of the same post, followed hashtags, places in a day."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import text

from db.database import ReadSession
from db.rows import POST_COLUMNS, RELATION_COLUMNS, RELATION_JOINS, USER_COLUMNS, to_post_facts
from domain.ids import DAY_MS, TIME_SHIFT
from domain.records import PostFacts

_SIBLINGS_FROM_SHARES = text(
    f"""
    SELECT {POST_COLUMNS}, {USER_COLUMNS}, {RELATION_COLUMNS}
    FROM posts p JOIN users u ON u.id = p.author_id {RELATION_JOINS}
    WHERE p.shared_post_id = ANY(CAST(:ids AS bigint[])) AND p.is_plain_share AND p.deleted_at IS NULL
      AND (rf.follower_id IS NOT NULL OR rk.until_id >= p.id)
    """
)
# OFFSET keeps the planner from turning the loops round: a post may have more shares than anybody follows accounts.
_SIBLINGS_FROM_VIEWER = text(
    f"""
    SELECT {POST_COLUMNS}, {USER_COLUMNS}, {RELATION_COLUMNS}
    FROM feed_sources s CROSS JOIN LATERAL (
      SELECT * FROM posts WHERE shared_post_id = ANY(CAST(:ids AS bigint[])) AND author_id = s.author_id
        AND is_plain_share AND deleted_at IS NULL AND id <= s.until_id OFFSET 0
    ) p JOIN users u ON u.id = p.author_id {RELATION_JOINS}
    WHERE s.viewer_id = :viewer_id
    """
)
# Each day of an author is walked once, however many posts of it are asked for: counting for each of them is quadratic.
_DAY_RANKS = text(
    f"""
    WITH wanted AS MATERIALIZED (
      SELECT author_id, (id >> {TIME_SHIFT}) / {DAY_MS} * {DAY_MS} << {TIME_SHIFT} AS first_id, max(id) AS last_id
      FROM posts WHERE id = ANY(CAST(:ids AS bigint[])) GROUP BY 1, 2
    )
    SELECT r.id, r.day_rank FROM wanted w CROSS JOIN LATERAL (
      SELECT d.id, row_number() OVER (ORDER BY d.id) - 1 AS day_rank FROM posts d
      WHERE d.author_id = w.author_id AND d.id >= w.first_id AND d.id <= w.last_id
    ) r WHERE r.id = ANY(CAST(:ids AS bigint[]))
    """
)
_FOLLOWED_HASHTAGS = text(
    """
    SELECT t.post_id, t.hashtag_id FROM post_hashtags t
    JOIN hashtag_follows h ON h.hashtag_id = t.hashtag_id AND h.user_id = :viewer_id
    WHERE t.post_id = ANY(CAST(:ids AS bigint[])) ORDER BY t.post_id, t.hashtag_id
    """
)


async def load_sibling_shares(
    session: ReadSession, root_ids: Iterable[int], *, viewer_id: int, from_viewer: bool
) -> list[PostFacts]:
    """The shares without words of the given posts by those whom the viewer follows, or of whom history was kept.

    Existing ones, of any time; `root` is not filled in. `from_viewer` says which side is the smaller: the viewer's sources, or
    the shares of the posts.
    """
    statement = _SIBLINGS_FROM_VIEWER if from_viewer else _SIBLINGS_FROM_SHARES
    return [to_post_facts(row) for row in await session.execute(statement, {"ids": list(root_ids), "viewer_id": viewer_id})]


async def load_day_ranks(session: ReadSession, post_ids: Iterable[int]) -> dict[int, int]:
    """How many posts and shares, deleted ones too, the author made earlier on the same UTC day."""
    return {row[0]: row[1] for row in await session.execute(_DAY_RANKS, {"ids": list(post_ids)})}


async def load_followed_hashtags(
    session: ReadSession, post_ids: Iterable[int], *, viewer_id: int
) -> dict[int, tuple[int, ...]]:
    """The hashtags of each post that the viewer follows; posts without any are missing."""
    found: dict[int, tuple[int, ...]] = {}
    for post_id, hashtag_id in await session.execute(_FOLLOWED_HASHTAGS, {"ids": list(post_ids), "viewer_id": viewer_id}):
        found[post_id] = (*found.get(post_id, ()), hashtag_id)
    return found
