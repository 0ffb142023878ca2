"""How the Python peers read: timelines from the same Valkey, rows from the same PostgreSQL. No rules, no degradations."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import asyncpg
from redis.asyncio import Redis

from cache import keys
from domain.ids import MAX_ID, TIME_SHIFT

POOL_SIZE = 10
VIEWER_HEADER = "x-viewer"
"""Who asks. Peers have no authentication: they believe this header."""
_COMMAND_SECONDS = 2.0
_POSTS = "SELECT id, author_id, text, created_at, like_count, comment_count FROM posts WHERE id = ANY($1::bigint[])"
_USERS = "SELECT id, username, display_name, avatar_url FROM users WHERE id = ANY($1::bigint[])"
_LIKED = "SELECT post_id FROM likes WHERE user_id = $1 AND post_id = ANY($2::bigint[])"
PULL = """
SELECT p.id, p.text, p.created_at, p.like_count, p.comment_count,
  EXISTS (SELECT FROM likes l WHERE l.post_id = p.id AND l.user_id = $1) AS liked,
  u.id AS author_id, u.username, u.display_name, u.avatar_url
FROM (
  SELECT found.id FROM (
    SELECT followee_id FROM follows WHERE follower_id = $1 UNION ALL SELECT $1
  ) s CROSS JOIN LATERAL (
    SELECT id FROM posts WHERE author_id = s.followee_id AND id < $2 AND deleted_at IS NULL ORDER BY id DESC LIMIT $3
  ) found ORDER BY found.id DESC LIMIT $3
) page JOIN posts p USING (id) JOIN users u ON u.id = p.author_id ORDER BY p.id DESC
"""
"""A page from PostgreSQL alone, by its best plain SQL: the newest few of each followed author. $1: viewer, $2: id, $3: size."""


class PeerReader:
    """The servers of one peer process, named by the environment as for Tidings."""

    def __init__(self, pool: Any, redis: Redis) -> None:
        self.pool = pool
        self.redis = redis
        self._page_ids = redis.register_script(files("bench.peers").joinpath("page_ids.lua").read_text(encoding="utf-8"))

    @classmethod
    async def open(cls) -> PeerReader:
        pool = await asyncpg.create_pool(
            os.environ["TIDINGS_DATABASE_URL"], min_size=2, max_size=POOL_SIZE, command_timeout=_COMMAND_SECONDS
        )
        return cls(pool, Redis.from_url(os.environ["TIDINGS_REDIS_URL"], socket_timeout=_COMMAND_SECONDS))

    async def close(self) -> None:
        await self.redis.aclose()
        await self.pool.close()

    async def page_ids(self, viewer_id: int, after: str | None, size: int) -> list[int]:
        """The `size` newest ids behind a cursor (a number), newest first."""
        place = ("", "-inf") if after is None else (str(MAX_ID - int(after)), str(-(int(after) >> TIME_SHIFT)))
        members = await self._page_ids(keys=[keys.timeline(viewer_id), f"peer:lists:{viewer_id}"], args=[*place, size])
        return sorted((MAX_ID - int(member) for member in members), reverse=True)[:size]

    async def posts(self, post_ids: Sequence[int]) -> dict[int, Any]:
        """Rows by id."""
        return {row["id"]: row for row in await self.pool.fetch(_POSTS, post_ids)}

    async def users(self, user_ids: Sequence[int]) -> dict[int, Any]:
        """Rows by id."""
        return {row["id"]: row for row in await self.pool.fetch(_USERS, user_ids)}

    async def liked(self, viewer_id: int, post_ids: Sequence[int]) -> set[int]:
        """Those of the posts that the viewer likes."""
        return {row["post_id"] for row in await self.pool.fetch(_LIKED, viewer_id, post_ids)}

    async def pull(self, viewer_id: int, after: str | None, size: int) -> list[Any]:
        """Whole rows of a page, newest first, without Valkey."""
        rows: list[Any] = await self.pool.fetch(PULL, viewer_id, MAX_ID if after is None else int(after), size)
        return rows
