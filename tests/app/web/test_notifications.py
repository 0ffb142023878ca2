"""Notifications through the whole process: what somebody does is told over sockets and streams."""

from __future__ import annotations

import asyncio
from typing import Any

from services.notifications.process_activities import process_activities
from tests.app.web.event_source import open_source
from tests.app.web.people_of_a_server import account, done
from tests.app.web.running_server import RunningServer, codes, token_for

WATCH = "subscription { notifications { id kind isRead actorCount actors { username } post { id text } comment { text } } }"
CREATE = "mutation ($text: String!) { createPost(input: {text: $text}) { post { id } } }"


async def publish(web: RunningServer, name: str, body: str) -> str:
    post_id: str = (await web.data(CREATE, token_for(name), text=body))["createPost"]["post"]["id"]
    return post_id


async def process(web: RunningServer) -> None:
    while (await process_activities(web.state.backends)).taken:
        pass


async def until_watched(web: RunningServer, count: int) -> None:
    feed = web.state.notifications
    async with asyncio.timeout(10):
        while feed.watcher_count != count or any(w.told_to is None for some in feed._watches.values() for w in some):
            await asyncio.sleep(0.02)


async def test_likes_and_comments_are_told(web: RunningServer) -> None:
    for name in ("author", "liker", "other"):
        await account(web, name)
    post_id = await publish(web, "author", "like me")
    async with web.session(token_for("author")) as socket, open_source(web.port, WATCH, token=token_for("author")) as stream:
        await socket.subscribe("1", WATCH)
        await until_watched(web, 2)
        await done(web, "liker", "likePost", postId=post_id)
        await process(web)
        first = (await socket.receive())["payload"]["data"]["notifications"]
        assert (await stream.data())["notifications"] == first
        post = {"id": post_id, "text": "like me"}
        assert first == {
            "id": first["id"], "kind": "LIKE", "isRead": False, "actorCount": 1, "actors": [{"username": "liker"}],
            "post": post, "comment": None,
        }  # fmt: skip
        await done(web, "other", "likePost", postId=post_id)
        await process(web)
        second: dict[str, Any] = (await socket.receive())["payload"]["data"]["notifications"]
        assert second["actorCount"] == 2
        assert second["id"] == first["id"]
        assert second["actors"] == [{"username": "other"}, {"username": "liker"}]
        await done(web, "other", "addComment", postId=post_id, text="fine")
        await process(web)
        third = (await socket.receive())["payload"]["data"]["notifications"]
        assert (third["kind"], third["comment"]) == ("COMMENT", {"text": "fine"})
    await until_watched(web, 0)


async def test_nobody_watches_for_somebody_else(web: RunningServer) -> None:
    async with open_source(web.port, WATCH) as source:
        failed, end = await source.rest()
        assert (codes(failed.data), end.name) == (["UNAUTHENTICATED"], "complete")
