"""The feed as an endpoint written by hand, with the very reads of Tidings: its statements, its scripts, its memory. No GraphQL,
no authentication, no rule, no sealed cursors: what a team would write that has these reads and forgoes all the rest.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import orjson

from bench.peers.answer import read_variables, send_json, viewer_of
from bench.peers.server import serve
from bootstrap import open_backends
from db.post_versions import KnownPost
from domain.ids import MAX_ID, to_global_id
from domain.timeline_version import TimelineVersion
from services.backends import Backends
from services.engagement.find_marks import find_marks
from settings import Settings


class SameReadsEndpoint:
    """An ASGI application."""

    def __init__(self) -> None:
        self._nodes: dict[int, tuple[KnownPost, dict[str, Any]]] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            async with AsyncExitStack() as stack:
                self._backends: Backends = await stack.enter_async_context(open_backends(Settings()))
                await send({"type": "lifespan.startup.complete"})
                await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        variables = await read_variables(receive)
        await send_json(send, await self._page(viewer_of(scope), variables.get("after"), variables["n"]))

    async def _page(self, viewer_id: int, after: str | None, size: int) -> bytes:
        backends = self._backends
        memory = backends.memory
        assert memory is not None, "the settings leave room for it"
        start = MAX_ID if after is None else int(after)
        seen = await memory.viewers.see(viewer_id, below=start)
        assert seen is not None, "the viewer is there"
        look, known = seen.look, seen.known
        version = TimelineVersion(look.moment.identity, known.graph_version)
        timeline = await backends.timelines.read_older(viewer_id, version=version, below=start, size=size + 1)
        ids = {*timeline.ids, *(post_id for post_id in look.own_ids if post_id < start)}
        if known.pulled:
            pulled = await backends.pulled_posts.read_merged(known.pulled, position=start, newer=False, size=size + 1)
            ids.update(pulled.ids)
        newest = sorted(ids, reverse=True)
        shown = newest[:size]
        posts = await memory.posts.find(shown)
        marks = await find_marks(backends, shown, viewer_id=viewer_id)
        edges = []
        for one in shown:
            if (post := posts[one]) is not None:
                node = {**self._node(post), "viewerHasLiked": one in marks and marks[one].has_liked}
                edges.append({"cursor": str(one), "node": node})
        info = {"hasNextPage": len(newest) > size, "endCursor": edges[-1]["cursor"] if edges else None}
        return orjson.dumps({"data": {"feed": {"edges": edges, "pageInfo": info}}})

    def _node(self, known: KnownPost) -> dict[str, Any]:
        kept = self._nodes.get(known.post.id)
        if kept is not None and kept[0] is known:
            return kept[1]
        post, author = known.post, known.author
        node = {
            "id": to_global_id("Post", post.id),
            "text": post.text,
            "createdAt": post.created_at,
            "likeCount": post.like_count,
            "commentCount": post.comment_count,
            "author": {
                "id": to_global_id("User", author.id),
                "username": author.username,
                "displayName": author.display_name,
                "avatarUrl": author.avatar_url,
            },
        }
        self._nodes[post.id] = known, node
        return node


if __name__ == "__main__":
    serve(SameReadsEndpoint)
