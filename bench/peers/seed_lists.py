"""What the peers on Valkey are given beside Tidings' own timelines, so that they need no rules and nothing from PostgreSQL.

`peer:list:AUTHOR`: posts of pulled authors, and everybody's own; `peer:lists:VIEWER`: whose lists are merged into a page;
`peer:counts:POST`: "likes comments"; `peer:liked:VIEWER`: set of liked posts. Nothing keeps them up to date.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
from redis.asyncio import Redis

from domain.ids import MAX_ID, TIME_SHIFT

_CHUNK = 5_000
_MERGED = """
SELECT u.id, concat_ws(' ', u.id, (
  SELECT string_agg(f.followee_id::text, ' ') FROM follows f JOIN users p ON p.id = f.followee_id AND p.has_pulled_posts
  WHERE f.follower_id = u.id
)) FROM users u
"""
_POSTS = "SELECT author_id, id FROM posts WHERE deleted_at IS NULL ORDER BY id"
_COUNTS = "SELECT id, like_count || ' ' || comment_count FROM posts"
_LIKES = "SELECT user_id, post_id FROM likes"


async def seed_lists(database_url: str, redis_url: str) -> None:
    """Writes all of it, once a run."""
    connection = await asyncpg.connect(database_url)
    redis = Redis.from_url(redis_url)
    try:
        async for rows in _chunks(connection, _MERGED):
            await redis.mset({f"peer:lists:{viewer}": lists for viewer, lists in rows})
        async for rows in _chunks(connection, _COUNTS):
            await redis.mset({f"peer:counts:{post}": counts for post, counts in rows})
        async for rows in _chunks(connection, _POSTS):
            pipeline = redis.pipeline(transaction=False)
            for author, post in rows:
                pipeline.zadd(f"peer:list:{author}", {str(MAX_ID - post): -(post >> TIME_SHIFT)})
            await pipeline.execute()
        async for rows in _chunks(connection, _LIKES):
            pipeline = redis.pipeline(transaction=False)
            for viewer, post in rows:
                pipeline.sadd(f"peer:liked:{viewer}", post)
            await pipeline.execute()
    finally:
        await redis.aclose()
        await connection.close()


async def _chunks(connection: Any, query: str) -> AsyncIterator[Sequence[Any]]:
    async with connection.transaction():
        cursor = await connection.cursor(query)
        while rows := await cursor.fetch(_CHUNK):
            yield rows
