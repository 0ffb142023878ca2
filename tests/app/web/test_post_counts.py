"""Live counters through the whole process: what somebody does is told to those who watch."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from tests.app.web.event_source import open_source
from tests.app.web.people_of_a_server import UNKNOWN_ID, done
from tests.app.web.running_server import RunningServer, SocketClient, codes, token_for

COUNTS = "subscription ($ids: [ID!]!) { postCounts(postIds: $ids) { postId likeCount commentCount shareCount } }"
CREATE = "mutation ($text: String!) { createPost(input: {text: $text}) { post { id } } }"


async def publish(web: RunningServer, name: str) -> str:
    post_id: str = (await web.data(CREATE, token_for(name), text="count me"))["createPost"]["post"]["id"]
    return post_id


def counts(post_id: str, shares: int, *, likes: int = 0, comments: int = 0) -> dict[str, Any]:
    return {"postCounts": {"postId": post_id, "likeCount": likes, "commentCount": comments, "shareCount": shares}}


async def test_shares_are_told_over_sockets_and_streams(web: RunningServer) -> None:
    post_id = await publish(web, "counted")
    async with AsyncExitStack() as stack:
        socket: SocketClient = await stack.enter_async_context(web.session(token_for("watcher")))
        await socket.subscribe("1", COUNTS, ids=[post_id, post_id, "malformed", UNKNOWN_ID])
        stream = await stack.enter_async_context(open_source(web.port, COUNTS, ids=[post_id]))
        assert (await socket.receive())["payload"]["data"] == counts(post_id, 0)
        assert await stream.data() == counts(post_id, 0)
        await done(web, "sharer", "sharePost", postId=post_id)
        assert (await socket.receive())["payload"]["data"] == counts(post_id, 1)
        assert await stream.data() == counts(post_id, 1)
        await done(web, "sharer", "unsharePost", postId=post_id)
        assert (await socket.receive())["payload"]["data"] == counts(post_id, 0)
        assert await stream.data() == counts(post_id, 0)
        # Deleted: nobody hears anything any more, and nobody can tell it from one that is quiet.
        await done(web, "counted", "deletePost", postId=post_id)
        await socket.send({"type": "complete", "id": "1"})
        await socket.send({"type": "ping"})
        assert await socket.receive() == {"type": "pong"}
    async with asyncio.timeout(10):
        while web.state.post_counts.watched_count:
            await asyncio.sleep(0.02)


async def test_likes_and_comments_are_told_before_they_are_at_rest(web: RunningServer) -> None:
    post_id = await publish(web, "liked")
    async with open_source(web.port, COUNTS, ids=[post_id]) as stream:
        assert await stream.data() == counts(post_id, 0)
        await done(web, "fan", "likePost", postId=post_id)
        assert await stream.data() == counts(post_id, 0, likes=1)
        await done(web, "fan", "addComment", postId=post_id, text="words")
        assert await stream.data() == counts(post_id, 0, likes=1, comments=1)
        await done(web, "fan", "unlikePost", postId=post_id)
        assert await stream.data() == counts(post_id, 0, comments=1)


async def test_how_many_posts(web: RunningServer) -> None:
    post_id = await publish(web, "counted")
    for ids in ([], [post_id] * 101):
        async with open_source(web.port, COUNTS, ids=ids) as source:
            failed, end = await source.rest()
            assert (codes(failed.data), end.name) == (["BAD_USER_INPUT"], "complete")
    async with open_source(web.port, COUNTS, ids=[post_id] * 100) as source:
        assert await source.data() == counts(post_id, 0)
