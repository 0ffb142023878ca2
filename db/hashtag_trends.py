"""Which hashtags are used more than usual at present: computed from what lies within a window, and kept as a whole."""

from __future__ import annotations

from sqlalchemy import text

from db.database import ReadSession, WriteSession
from domain.records import HashtagRecord

_LOCK_KEY = 0x7472656E6473
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:key)")
_CLEAR = text("DELETE FROM hashtag_trends")
# The newest uses come from the index alone; only they are looked at, however many there are. Each author counts once, by their
# newest post. Whatever is used all the time is expected to be used: `usual` posts a window, from its first post on.
_COMPUTE = text(
    """
    WITH uses AS MATERIALIZED (
      SELECT hashtag_id, post_id FROM post_hashtags
      WHERE post_id >= :from_id AND post_id < :to_id ORDER BY post_id DESC LIMIT :max_uses
    ), looked AS (
      SELECT CASE WHEN count(*) < :max_uses THEN :from_id ELSE min(post_id) END AS from_id FROM uses
    ), authors AS (
      SELECT t.hashtag_id, p.author_id, max(p.id) AS newest_id, count(*) AS posts
      FROM uses t JOIN posts p ON p.id = t.post_id JOIN users u ON u.id = p.author_id
      WHERE p.deleted_at IS NULL AND p.visibility = 'PUBLIC'
        AND NOT u.is_private AND u.suspended_at IS NULL AND u.shadow_banned_at IS NULL
      GROUP BY 1, 2
    ), tags AS (
      SELECT hashtag_id, CAST(sum(posts) AS integer) AS posts,
        sum(power(0.5, greatest(0, :now_ms - (newest_id >> 22)) / CAST(:half_life_ms AS double precision))) AS heat
      FROM authors GROUP BY 1 ORDER BY heat DESC, hashtag_id DESC LIMIT :size
    )
    INSERT INTO hashtag_trends (hashtag_id, score, recent_post_count, computed_at)
    SELECT g.hashtag_id, g.heat * (g.posts + 1) / (g.posts + usual.posts + 1), g.posts, clock_timestamp()
    FROM tags g JOIN hashtags h ON h.id = g.hashtag_id CROSS JOIN looked
    CROSS JOIN LATERAL (
      SELECT post_id >> 22 AS ms FROM post_hashtags f WHERE f.hashtag_id = g.hashtag_id ORDER BY post_id LIMIT 1
    ) AS first
    CROSS JOIN LATERAL (
      SELECT greatest(0, h.post_count - g.posts) * (:now_ms - (looked.from_id >> 22))
        / CAST(greatest((looked.from_id >> 22) - first.ms, :now_ms - (looked.from_id >> 22)) AS double precision) AS posts
    ) AS usual
    """
)
_NEWEST = text(
    """
    SELECT h.id, h.name, h.post_count, t.recent_post_count FROM hashtag_trends t JOIN hashtags h ON h.id = t.hashtag_id
    WHERE t.computed_at > statement_timestamp() - make_interval(secs => :max_age_seconds)
    ORDER BY t.score DESC, t.hashtag_id DESC LIMIT :size
    """
)


async def replace_trends(
    session: WriteSession, *, now_ms: int, from_id: int, to_id: int, half_life_ms: int, max_uses: int, size: int
) -> bool:
    """Computes the trends anew from the uses between two ids; False where somebody else is just doing so."""
    if not (await session.execute(_TRY_LOCK, {"key": _LOCK_KEY})).scalar_one():
        return False
    await session.execute(_CLEAR)
    parameters = {"now_ms": now_ms, "from_id": from_id, "to_id": to_id, "half_life_ms": half_life_ms}
    await session.execute(_COMPUTE, {**parameters, "max_uses": max_uses, "size": size})
    return True


async def load_trends(session: ReadSession, *, max_age_seconds: float, size: int) -> list[tuple[HashtagRecord, int]]:
    """The first of them with how many posts name them within the window; none that were computed longer ago."""
    rows = await session.execute(_NEWEST, {"max_age_seconds": max_age_seconds, "size": size})
    return [(HashtagRecord(*row[:3]), row[3]) for row in rows]
