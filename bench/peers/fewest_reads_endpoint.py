"""The feed as an endpoint written by hand, as fast as this process model allows: the fewest reads, no rules.

One script in Valkey for the page's ids; one statement in PostgreSQL for what may have changed (counts, the viewer's like,
whether the text is still the same), shared by all requests that wait at the moment; texts and authors from memory.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC
from importlib.resources import files
from typing import Any

import asyncpg
import orjson

from bench.peers.answer import read_variables, send_json, viewer_of
from bench.peers.multiplexed import MultiplexedRedis
from bench.peers.server import serve
from cache import keys
from domain.ids import MAX_ID, TIME_SHIFT, to_global_id

_STATEMENTS_AT_A_TIME = 2
_COMMAND_SECONDS = 2.0
_BODIES = """
SELECT p.id, p.text, p.created_at, p.edited_at, u.id AS author_id, u.username, u.display_name, u.avatar_url
FROM posts p JOIN users u ON u.id = p.author_id WHERE p.id = ANY($1::bigint[])
"""
_VOLATILE = """
SELECT w.page, w.id, p.like_count + coalesce((SELECT sum(c.likes) FROM counter_changes c WHERE c.post_id = p.id), 0)::integer,
  p.comment_count + coalesce((SELECT sum(c.comments) FROM counter_changes c WHERE c.post_id = p.id), 0)::integer,
  EXISTS (SELECT FROM likes l WHERE l.post_id = p.id AND l.user_id = w.viewer), p.edited_at
FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) AS w(page, viewer, id) JOIN posts p ON p.id = w.id
WHERE p.deleted_at IS NULL
"""


class Volatile:
    """Asks for what may have changed: what arrives while a statement is under way goes into the next one."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._waiting: list[tuple[int, Sequence[int], asyncio.Future[dict[int, Any]]]] = []
        self._under_way = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def load(self, viewer_id: int, ids: Sequence[int]) -> asyncio.Future[dict[int, Any]]:
        """(likes, comments, liked, edited_at) by post; deleted ones are missing."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[dict[int, Any]] = loop.create_future()
        if not self._waiting and self._under_way < _STATEMENTS_AT_A_TIME:
            loop.call_soon(self._begin)
        self._waiting.append((viewer_id, ids, future))
        return future

    def _begin(self) -> None:
        task = asyncio.get_running_loop().create_task(self._run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self) -> None:
        self._under_way += 1
        try:
            while self._waiting:
                pages, self._waiting = self._waiting, []
                numbers = [number for number, (_, ids, _) in enumerate(pages) for _ in ids]
                viewers = [viewer for viewer, ids, _ in pages for _ in ids]
                wanted = [one for _, ids, _ in pages for one in ids]
                found: list[dict[int, Any]] = [{} for _ in pages]
                for page, post_id, *values in await self._pool.fetch(_VOLATILE, numbers, viewers, wanted):
                    found[page][post_id] = values
                for (_, _, future), values in zip(pages, found, strict=True):
                    if not future.done():
                        future.set_result(values)
        finally:
            self._under_way -= 1


class FewestReadsEndpoint:
    """An ASGI application."""

    def __init__(self) -> None:
        self._bodies: dict[int, tuple[Any, dict[str, Any]]] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await self._open()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            self._redis.close()
            await self._pool.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        variables = await read_variables(receive)
        await send_json(send, await self._page(viewer_of(scope), variables.get("after"), variables["n"]))

    async def _open(self) -> None:
        self._pool = await asyncpg.create_pool(
            os.environ["TIDINGS_DATABASE_URL"], min_size=2, max_size=4, command_timeout=_COMMAND_SECONDS
        )
        self._redis = await MultiplexedRedis.connect(os.environ["TIDINGS_REDIS_URL"])
        script = files("bench.peers").joinpath("page_ids.lua").read_text(encoding="utf-8")
        self._script: bytes = await self._redis.call("SCRIPT", "LOAD", script)
        self._volatile = Volatile(self._pool)

    async def _page(self, viewer_id: int, after: str | None, size: int) -> bytes:
        place = ("", "-inf") if after is None else (str(MAX_ID - int(after)), str(-(int(after) >> TIME_SHIFT)))
        sources = keys.timeline(viewer_id), f"peer:lists:{viewer_id}"
        members = await self._redis.call("EVALSHA", self._script, 2, *sources, *place, size + 1)
        ids = sorted([MAX_ID - int(member) for member in members], reverse=True)
        shown = ids[:size]
        volatile = await self._volatile.load(viewer_id, shown)
        bodies = self._bodies
        stale = [one for one in shown if one in volatile and (one not in bodies or bodies[one][0] != volatile[one][3])]
        if stale:
            await self._load_bodies(stale)
        edges = []
        for one in shown:
            if (now := volatile.get(one)) is not None:
                node = {**bodies[one][1], "likeCount": now[0], "commentCount": now[1], "viewerHasLiked": now[2]}
                edges.append({"cursor": str(one), "node": node})
        info = {"hasNextPage": len(ids) > size, "endCursor": edges[-1]["cursor"] if edges else None}
        return orjson.dumps({"data": {"feed": {"edges": edges, "pageInfo": info}}})

    async def _load_bodies(self, ids: Sequence[int]) -> None:
        for row in await self._pool.fetch(_BODIES, ids):
            author = {
                "id": to_global_id("User", row["author_id"]),
                "username": row["username"],
                "displayName": row["display_name"],
                "avatarUrl": row["avatar_url"],
            }
            created_at = row["created_at"].astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            node = {"id": to_global_id("Post", row["id"]), "text": row["text"], "createdAt": created_at, "author": author}
            self._bodies[row["id"]] = row["edited_at"], node


if __name__ == "__main__":
    serve(FewestReadsEndpoint)
