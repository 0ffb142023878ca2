"""Strawberry as its documentation shows it: typed classes, async field resolvers, a loader for each kind of row.

Ids of a page from the timelines in Valkey (redis-py), rows from PostgreSQL (asyncpg) through aiodataloader. Nothing is cached
from one operation to the next; with `--document-caches`: parsed and validated documents.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import strawberry
from aiodataloader import DataLoader
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache

from bench.peers.reading import VIEWER_HEADER, PeerReader
from bench.peers.server import serve
from domain.ids import to_global_id


class Loaders:
    """Of one operation."""

    def __init__(self, reader: PeerReader, viewer_id: int) -> None:
        self.reader = reader
        self.viewer_id = viewer_id
        self.posts: DataLoader[int, Any] = DataLoader(self._by_id(reader.posts))
        self.users: DataLoader[int, Any] = DataLoader(self._by_id(reader.users))
        self.liked: DataLoader[int, bool] = DataLoader(self._liked)

    @staticmethod
    def _by_id(
        load: Callable[[Sequence[int]], Awaitable[dict[int, Any]]],
    ) -> Callable[[list[int]], Coroutine[Any, Any, list[Any]]]:
        async def batch(ids: list[int]) -> list[Any]:
            found = await load(ids)
            return [found[one] for one in ids]

        return batch

    async def _liked(self, ids: list[int]) -> list[bool]:
        found = await self.reader.liked(self.viewer_id, ids)
        return [one in found for one in ids]


Info = strawberry.Info[Loaders, None]


@strawberry.type
class User:
    id: strawberry.ID
    username: str
    display_name: str
    avatar_url: str | None


@strawberry.type
class Post:
    key: strawberry.Private[int]

    @strawberry.field
    async def id(self) -> strawberry.ID:
        return strawberry.ID(to_global_id("Post", self.key))

    @strawberry.field
    async def text(self, info: Info) -> str:
        return str((await info.context.posts.load(self.key))["text"])

    @strawberry.field
    async def created_at(self, info: Info) -> datetime:
        found: datetime = (await info.context.posts.load(self.key))["created_at"]
        return found

    @strawberry.field
    async def like_count(self, info: Info) -> int:
        return int((await info.context.posts.load(self.key))["like_count"])

    @strawberry.field
    async def comment_count(self, info: Info) -> int:
        return int((await info.context.posts.load(self.key))["comment_count"])

    @strawberry.field
    async def viewer_has_liked(self, info: Info) -> bool:
        return await info.context.liked.load(self.key)

    @strawberry.field
    async def author(self, info: Info) -> User:
        row = await info.context.users.load((await info.context.posts.load(self.key))["author_id"])
        return User(
            id=strawberry.ID(to_global_id("User", row["id"])),
            username=row["username"],
            display_name=row["display_name"],
            avatar_url=row["avatar_url"],
        )


@strawberry.type
class Edge:
    cursor: str
    node: Post


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class Feed:
    edges: list[Edge]
    page_info: PageInfo


@strawberry.type
class Query:
    @strawberry.field
    async def feed(self, info: Info, first: int | None = 20, after: str | None = None) -> Feed:
        loaders = info.context
        size = first or 20
        ids = await loaders.reader.page_ids(loaders.viewer_id, after, size + 1)
        edges = [Edge(cursor=str(one), node=Post(key=one)) for one in ids[:size]]
        return Feed(
            edges=edges, page_info=PageInfo(has_next_page=len(ids) > size, end_cursor=edges[-1].cursor if edges else None)
        )


class LoaderGraphQL(GraphQL[Loaders, None]):
    reader: PeerReader

    async def get_context(self, request: Request | Any, response: Any) -> Loaders:
        return Loaders(self.reader, int(request.headers[VIEWER_HEADER]))


def make_app() -> Starlette:
    caches = [ParserCache, ValidationCache] if "--document-caches" in sys.argv else []
    endpoint = LoaderGraphQL(strawberry.Schema(Query, extensions=caches), graphql_ide=None)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        endpoint.reader = await PeerReader.open()
        yield
        await endpoint.reader.close()

    return Starlette(routes=[Route("/graphql", endpoint)], lifespan=lifespan)


if __name__ == "__main__":
    serve(make_app)
