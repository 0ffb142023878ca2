"""What is counted about posts, counted anew from the rows: one snapshot, with what is still in flight."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from db.counters import COMMENT_COUNT, LIKE_COUNT
from db.database import ReadSession, WriteSession
from domain.engagement import COMMENT_WEIGHT, LIKE_WEIGHT, SHARE_WEIGHT

_TRUE_LIKES = "(SELECT count(*) FROM likes l WHERE l.post_id = p.id)"
_TRUE_COMMENTS = "(SELECT count(*) FROM comments c WHERE c.post_id = p.id AND c.deleted_at IS NULL)"
_TRUE_SHARES = "(SELECT count(*) FROM posts s WHERE s.shared_post_id = p.id AND s.deleted_at IS NULL)"
_COMPARE = text(
    f"""
    SELECT p.id, {LIKE_COUNT} AS likes, {COMMENT_COUNT} AS comments, p.share_count AS shares,
      {_TRUE_LIKES} AS true_likes, {_TRUE_COMMENTS} AS true_comments, {_TRUE_SHARES} AS true_shares
    FROM posts p WHERE p.id < :below_id ORDER BY p.id DESC LIMIT :size
    """
)
_LOCK = text("SELECT FROM posts WHERE id = :post_id FOR NO KEY UPDATE")
# What is in flight stays so: whoever is adding it at this moment waits for the post's lock, and adds to what is set here.
_REPAIR = text(
    f"""
    WITH counted AS (
      SELECT p.id, {_TRUE_LIKES} - coalesce(sum(q.likes), 0) AS likes,
        {_TRUE_COMMENTS} - coalesce(sum(q.comments), 0) AS comments, {_TRUE_SHARES} AS shares
      FROM posts p LEFT JOIN counter_changes q ON q.post_id = p.id WHERE p.id = :post_id GROUP BY p.id
    )
    UPDATE posts AS p SET like_count = a.likes, comment_count = a.comments, share_count = a.shares,
      engagement_score = p.imported_engagement + {LIKE_WEIGHT} * a.likes + {COMMENT_WEIGHT} * a.comments
        + {SHARE_WEIGHT} * a.shares
    FROM counted a WHERE p.id = a.id
    """
)


@dataclass(frozen=True, slots=True)
class CounterDrift:
    """A post whose counts differ from its rows. Each pair is (what is shown, what is true)."""

    post_id: int
    likes: tuple[int, int]
    comments: tuple[int, int]
    shares: tuple[int, int]


@dataclass(frozen=True, slots=True)
class ComparedPosts:
    """`count` posts were looked at, down to `last_id` (None where there was none)."""

    count: int
    last_id: int | None
    drifted: list[CounterDrift]


async def compare_counters(session: ReadSession, *, below_id: int, size: int) -> ComparedPosts:
    """The next posts below an id, newest first. One statement, so that nothing can be between a row and its count."""
    count, last_id, drifted = 0, None, []
    for row in await session.execute(_COMPARE, {"below_id": below_id, "size": size}):
        count, last_id = count + 1, row[0]
        if row[1:4] != row[4:7]:
            drifted.append(CounterDrift(row[0], (row[1], row[4]), (row[2], row[5]), (row[3], row[6])))
    return ComparedPosts(count, last_id, drifted)


async def repair_counters(session: WriteSession, post_id: int) -> None:
    """Counts anew under the post's lock, and sets what makes the shown counts true; exact while people go on.

    Two statements: the second one must see what was added while the first one waited.
    """
    await session.execute(_LOCK, {"post_id": post_id})
    await session.execute(_REPAIR, {"post_id": post_id})
