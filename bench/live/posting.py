"""Mutations whose outcome is known, whatever is restarted meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx

from bench.live.people import Person
from domain.ids import local_id, to_global_id

_POST = "mutation($input: CreatePostInput!) { createPost(input: $input) { post { id } userErrors { message } } }"
_SHARE = "mutation($input: SharePostInput!) { sharePost(input: $input) { post { id } userErrors { message } } }"
_FOLLOW_HASHTAG = "mutation($input: FollowHashtagInput!) { followHashtag(input: $input) { userErrors { message } } }"
_FEED = "{ feed(first: 1) { eventCursor } }"
_FIND_POST = "SELECT id FROM posts WHERE author_id = $1 AND text = $2"
_FIND_SHARE = "SELECT id FROM posts WHERE author_id = $1 AND shared_post_id = $2 AND is_plain_share"
_ANSWER_SECONDS = 10.0
_AGAIN_SECONDS = 0.05
_AFTERWARDS_SECONDS = 3.0
"""After a request without an answer: within it the transaction has committed or will never do."""


@dataclass(frozen=True, slots=True)
class Made:
    """A post or share that exists. `order`: its place among those of its author. `answered_at`: monotonic seconds."""

    global_id: str
    author: str
    order: int
    answered_at: float


class Publisher:
    """Asks the API in the name of people; asks the database where an answer was lost."""

    def __init__(self, address: str, database: asyncpg.Pool) -> None:
        self._client = httpx.AsyncClient(base_url=address, timeout=_ANSWER_SECONDS)
        self._database = database
        self._headers: dict[str, dict[str, str]] = {}
        self.lost_answers = 0

    async def aclose(self) -> None:
        await self._client.aclose()

    async def post(self, author: Person, text: str) -> str:
        """The global id of a new post. No author writes the same text twice."""
        return await self._make(author, _POST, {"text": text}, _FIND_POST, text)

    async def share(self, author: Person, post: str) -> str:
        """The global id of a share without words. Nobody shares a post twice."""
        return await self._make(author, _SHARE, {"postId": post}, _FIND_SHARE, local_id(post, "Post"))

    async def follow_hashtag(self, viewer: Person, name: str) -> None:
        await self._ask(viewer, _FOLLOW_HASHTAG, {"name": name})

    async def event_cursor(self, viewer: Person) -> str:
        """Of a page of the viewer's feed read now."""
        while True:
            try:
                answer = await self._ask(viewer, _FEED, None)
            except (httpx.HTTPError, _UnavailableError):
                await asyncio.sleep(_AGAIN_SECONDS)
            else:
                return str(answer["feed"]["eventCursor"])

    async def _make(self, author: Person, mutation: str, given: Mapping[str, Any], find: str, key: Any) -> str:
        while True:
            try:
                (payload,) = (await self._ask(author, mutation, given)).values()
                return str(payload["post"]["id"])
            except (httpx.ConnectError, httpx.ConnectTimeout):
                await asyncio.sleep(_AGAIN_SECONDS)
            except (httpx.HTTPError, _UnavailableError):
                self.lost_answers += 1
                await asyncio.sleep(_AFTERWARDS_SECONDS)
                found = await self._database.fetchval(find, author.id, key)
                if found is not None:
                    return to_global_id("Post", found)

    async def _ask(self, viewer: Person, query: str, given: Mapping[str, Any] | None) -> dict[str, Any]:
        headers = self._headers.get(viewer.name)
        if headers is None:
            headers = self._headers[viewer.name] = {"Authorization": f"Bearer {viewer.token}"}
        body = {"query": query, "variables": {"input": given} if given is not None else {}}
        response = await self._client.post("/graphql", json=body, headers=headers)
        if response.status_code >= 500:
            raise _UnavailableError(response.text)
        answer = response.json()
        if answer.get("errors"):
            if answer["errors"][0].get("extensions", {}).get("code") in ("UNAVAILABLE", "INTERNAL"):
                raise _UnavailableError(response.text)
            raise RuntimeError(f"refused: {response.text}")
        data: dict[str, Any] = answer["data"]
        for payload in data.values():
            if payload.get("userErrors"):
                raise RuntimeError(f"refused: {response.text}")
        return data


class _UnavailableError(Exception):
    """The answer says that the outcome is not known."""
