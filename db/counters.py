"""What posts are counted by, while it is on its way: written with each like and comment, added to the posts many at a time.

The steps of a flush are one transaction: rows that were taken away and not added, or added twice, do not exist, whatever dies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from db.database import ReadSession, WriteSession
from domain.engagement import COMMENT_WEIGHT, LIKE_WEIGHT, SHARE_WEIGHT

_IN_FLIGHT = "(SELECT sum(q.{column}) FROM counter_changes q WHERE q.post_id = p.id)"
LIKE_COUNT = f"greatest(0, p.like_count + coalesce({_IN_FLIGHT.format(column='likes')}, 0))"
"""The likes of the post `p` as they are shown: what its row has, and what is on its way to it, in one snapshot."""
COMMENT_COUNT = f"greatest(0, p.comment_count + coalesce({_IN_FLIGHT.format(column='comments')}, 0))"

_OLDEST = text("SELECT extract(epoch FROM clock_timestamp() - created_at) FROM counter_changes ORDER BY id LIMIT 1")
# In the order of ids: of one account's like and its end, the like is taken first, or both are.
_TAKE = text(
    """
    WITH batch AS (SELECT id FROM counter_changes ORDER BY id LIMIT :size FOR UPDATE SKIP LOCKED),
    taken AS (
      DELETE FROM counter_changes c USING batch WHERE c.id = batch.id RETURNING c.post_id, c.likes, c.comments, c.created_at
    )
    SELECT post_id, sum(likes), sum(comments), count(*), extract(epoch FROM clock_timestamp() - min(created_at))
    FROM taken GROUP BY post_id
    """
)
_LOCK = text("SELECT id FROM posts WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY id DESC FOR NO KEY UPDATE")
_ADD = text(
    f"""
    UPDATE posts AS p SET
      like_count = p.like_count + a.likes,
      comment_count = p.comment_count + a.comments,
      engagement_score = p.imported_engagement + {LIKE_WEIGHT} * (p.like_count + a.likes)
        + {COMMENT_WEIGHT} * (p.comment_count + a.comments) + {SHARE_WEIGHT} * p.share_count
    FROM unnest(CAST(:ids AS bigint[]), CAST(:likes AS integer[]), CAST(:comments AS integer[])) AS a(id, likes, comments)
    WHERE p.id = a.id
    """
)


@dataclass(frozen=True, slots=True)
class TakenChanges:
    """What one batch adds to one post. `oldest_seconds`: how long the first of these changes has waited."""

    post_id: int
    likes: int
    comments: int
    changes: int
    oldest_seconds: float


async def oldest_change_seconds(session: ReadSession) -> float | None:
    """How long the oldest change has waited; None where there is none."""
    waited = (await session.execute(_OLDEST)).scalar()
    return float(waited) if waited is not None else None


async def take_changes(session: WriteSession, *, size: int) -> list[TakenChanges]:
    """Takes the oldest changes away, at most `size` of them, passing over those that another flusher has at hand."""
    rows = await session.execute(_TAKE, {"size": size})
    return [TakenChanges(row[0], row[1], row[2], row[3], float(row[4])) for row in rows]


async def lock_posts(session: WriteSession, post_ids: Iterable[int]) -> None:
    """In the order that all who lock several posts keep: a share, which is newer, before what it shares."""
    await session.execute(_LOCK, {"ids": list(post_ids)})


async def add_changes(session: WriteSession, taken: Sequence[TakenChanges]) -> None:
    """Adds them to the posts' rows, and makes their scores anew. Call `lock_posts` before."""
    await session.execute(
        _ADD,
        {
            "ids": [one.post_id for one in taken],
            "likes": [one.likes for one in taken],
            "comments": [one.comments for one in taken],
        },
    )
