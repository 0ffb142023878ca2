"""What a world lacks for reads of every kind: notifications, trends, bookmarks; and what variables are drawn from."""

from __future__ import annotations

from typing import Any

import asyncpg

from bench.typical_reads.queries import Known
from domain.ids import milliseconds_of
from services.backends import Backends
from services.discovery.trending_hashtags import refresh_trends
from services.notifications.process_activities import process_activities

_READERS = 40
_ACTIVITIES = """
INSERT INTO activities (kind, actor_id, subject_id)
SELECT 'like', l.user_id, l.post_id FROM likes l JOIN posts p ON p.id = l.post_id WHERE p.author_id = ANY($1::bigint[])
UNION ALL
SELECT 'follow', f.follower_id, f.followee_id FROM follows f WHERE f.followee_id = ANY($1::bigint[])
"""
_BOOKMARKS = """
INSERT INTO bookmarks (user_id, post_id)
SELECT u, p.id FROM unnest($1::bigint[]) AS u CROSS JOIN (SELECT id FROM posts ORDER BY id DESC LIMIT 30) p
ON CONFLICT DO NOTHING
"""
_READER = "SELECT id FROM users WHERE post_count > 0 ORDER BY md5(id::text) LIMIT $1"
_POSTS = "SELECT id FROM posts WHERE like_count > 0 AND comment_count > 1 ORDER BY id DESC LIMIT 500"
_NAMES = "SELECT username FROM users ORDER BY md5(username) LIMIT 200"
_WORDS = "SELECT DISTINCT split_part(text, ' ', 3) FROM posts ORDER BY 1 LIMIT 200"
_HASHTAGS = "SELECT name FROM hashtags ORDER BY post_count DESC LIMIT 20"


async def prepare(backends: Backends, database_url: str) -> Known:
    """Writes what is not there yet."""
    connection: Any = await asyncpg.connect(database_url)
    try:
        readers = [row[0] for row in await connection.fetch(_READER, _READERS)]
        if not await connection.fetchval("SELECT count(*) FROM notifications"):
            await connection.execute(_ACTIVITIES, readers)
            while (await process_activities(backends)).taken:
                pass
        await connection.execute(_BOOKMARKS, readers)
        newest = await connection.fetchval("SELECT max(id) FROM posts")
        await refresh_trends(backends, now_ms=milliseconds_of(newest))
        await connection.execute("ANALYZE")
        return Known(
            readers=readers,
            posts=[row[0] for row in await connection.fetch(_POSTS)],
            names=[row[0] for row in await connection.fetch(_NAMES)],
            words=[row[0] for row in await connection.fetch(_WORDS) if row[0].isalpha()],
            hashtags=[row[0] for row in await connection.fetch(_HASHTAGS)],
        )
    finally:
        await connection.close()
