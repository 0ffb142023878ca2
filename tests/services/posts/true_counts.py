"""All counts about posts, counted anew by plain SQL and compared with those that are kept."""

from __future__ import annotations

from sqlalchemy import text

from services.backends import Backends

_WRONG = """
SELECT 'posts of user ' || u.id, u.post_count, count(p.id) FROM users u
LEFT JOIN posts p ON p.author_id = u.id AND p.deleted_at IS NULL AND p.visibility = 'PUBLIC' AND NOT p.is_plain_share
GROUP BY u.id HAVING u.post_count <> count(p.id)
UNION ALL
SELECT 'shares of post ' || r.id, r.share_count, count(s.id) FROM posts r
LEFT JOIN posts s ON s.shared_post_id = r.id AND s.deleted_at IS NULL
GROUP BY r.id HAVING r.share_count <> count(s.id)
UNION ALL
SELECT 'posts of #' || h.name, h.post_count, count(p.id) FROM hashtags h
LEFT JOIN post_hashtags l ON l.hashtag_id = h.id
LEFT JOIN posts p ON p.id = l.post_id AND p.deleted_at IS NULL AND p.visibility = 'PUBLIC'
GROUP BY h.id HAVING h.post_count <> count(p.id)
UNION ALL
SELECT 'hashtags of post ' || id, stored, linked FROM (
  SELECT p.id,
    (SELECT count(DISTINCT e ->> 'h') FROM jsonb_array_elements(p.entities) e WHERE e ? 'h') AS stored,
    (SELECT count(*) FROM post_hashtags l JOIN hashtags h ON h.id = l.hashtag_id WHERE l.post_id = p.id
       AND EXISTS (SELECT FROM jsonb_array_elements(p.entities) e WHERE e ->> 'h' = h.name)) AS linked
  FROM posts p
) AS named WHERE stored <> linked
UNION ALL
SELECT 'foreign hashtag of post ' || l.post_id, 0, 1 FROM post_hashtags l JOIN hashtags h ON h.id = l.hashtag_id
WHERE NOT EXISTS (
  SELECT FROM posts p, jsonb_array_elements(p.entities) e WHERE p.id = l.post_id AND e ->> 'h' = h.name
)
UNION ALL
SELECT 'plain shares of ' || shared_post_id || ' by ' || author_id, 1, count(*) FROM posts
WHERE is_plain_share AND deleted_at IS NULL GROUP BY shared_post_id, author_id HAVING count(*) > 1
UNION ALL
SELECT 'shares a share: ' || s.id, 0, 1 FROM posts s JOIN posts r ON r.id = s.shared_post_id WHERE r.is_plain_share
"""


async def wrong_post_counts(backends: Backends) -> list[tuple[str, int, int]]:
    """(what, kept, true) wherever a count or a rule about shares and hashtags does not hold."""
    async with backends.database.reading() as session:
        return [tuple(row) for row in await session.execute(text(_WRONG))]
