"""Who would receive an author's posts: the figures for push or pull, and the list of receivers with its version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import text

from db.database import ReadSession
from domain.audience import RATE_WINDOW_SECONDS, Audience
from domain.ids import TIME_SHIFT

_UNDECIDED_PASSED_OVER = 100
"""Posts that were never fanned out (private ones, say) which the look for the last decided one passes over at most."""

# Of the post `p` and its author `u`: two scans of ix_posts_author_id_id, both bounded. Counting stops where more posts would
# change nothing.
AUDIENCE_COLUMNS = f"""
  u.follower_count,
  (SELECT count(*) FROM (
     SELECT FROM posts r
     WHERE r.author_id = p.author_id AND r.id <= p.id AND r.id > p.id - ({RATE_WINDOW_SECONDS * 1_000}::bigint << {TIME_SHIFT})
     LIMIT 1 + floor(least(
       1e9, CAST(:writes_per_second AS float8) * {RATE_WINDOW_SECONDS} / greatest(1, u.follower_count)
     ))::bigint
   ) recent),
  u.has_pulled_posts AND coalesce((
     SELECT before.delivery = 'PULL' FROM (
       SELECT b.id, b.delivery FROM posts b WHERE b.author_id = p.author_id AND b.id < p.id
       ORDER BY b.id DESC LIMIT {_UNDECIDED_PASSED_OVER}
     ) before WHERE before.delivery IS NOT NULL ORDER BY before.id DESC LIMIT 1
   ), false)
"""

_AUDIENCES = text(
    f"""
    SELECT p.id, {AUDIENCE_COLUMNS}
    FROM posts p JOIN users u ON u.id = p.author_id WHERE p.id = ANY(CAST(:post_ids AS bigint[]))
    """
)
_VERSION = text("SELECT audience_version FROM users WHERE id = :author_id")
# Arrays: a row for each receiver would cost several times the rest.
_RECEIVERS = text(
    """
    SELECT array_agg(id ORDER BY id), array_agg(until_id ORDER BY id) FILTER (WHERE until_id IS NOT NULL),
      array_agg(id ORDER BY id) FILTER (WHERE until_id IS NOT NULL)
    FROM (
      SELECT id, until_id FROM (
        (SELECT follower_id AS id, NULL::bigint AS until_id FROM follows
         WHERE followee_id = :author_id AND follower_id > :after_id ORDER BY follower_id LIMIT :size)
        UNION ALL
        (SELECT viewer_id, until_id FROM kept_follows
         WHERE author_id = :author_id AND viewer_id > :after_id ORDER BY viewer_id LIMIT :size)
      ) both_kinds ORDER BY id LIMIT :size
    ) receivers
    """
)


async def load_audiences(session: ReadSession, post_ids: Iterable[int], *, writes_per_second: float) -> dict[int, Audience]:
    """What push or pull would be chosen by for each of the posts."""
    parameters = {"post_ids": list(post_ids), "writes_per_second": writes_per_second}
    return {row[0]: Audience(*row[1:]) for row in await session.execute(_AUDIENCES, parameters)}


async def load_audience_version(session: ReadSession, author_id: int) -> int:
    """Grows whenever somebody begins or ceases to receive the author's posts."""
    return int((await session.execute(_VERSION, {"author_id": author_id})).scalar_one())


async def load_receivers(
    session: ReadSession, author_id: int, *, after_id: int, size: int
) -> tuple[Sequence[int], dict[int, int]]:
    """The next `size` of those who follow the author or keep the author's history, by id; of the latter, up to which post."""
    row = (await session.execute(_RECEIVERS, {"author_id": author_id, "after_id": after_id, "size": size})).one()
    return row[0] or [], dict(zip(row[2] or [], row[1] or [], strict=True))
