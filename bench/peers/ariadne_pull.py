"""Ariadne, schema first, on PostgreSQL alone: one statement a page, default resolvers on plain dictionaries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ariadne import QueryType, make_executable_schema
from ariadne.asgi import GraphQL
from starlette.applications import Starlette
from starlette.routing import Route

from bench.peers.reading import VIEWER_HEADER, PeerReader
from bench.peers.server import serve
from domain.ids import to_global_id

_SCHEMA = """
type Query { feed(first: Int, after: String): FeedConnection! }
type FeedConnection { edges: [FeedEdge!]! pageInfo: PageInfo! }
type FeedEdge { cursor: String! node: Post! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Post {
  id: ID!
  text: String!
  createdAt: String!
  likeCount: Int!
  commentCount: Int!
  viewerHasLiked: Boolean!
  author: User!
}
type User { id: ID! username: String! displayName: String! avatarUrl: String }
"""


async def feed(_root: None, info: Any, first: int | None = None, after: str | None = None) -> dict[str, Any]:
    """One page."""
    size = first or 20
    request = info.context["request"]
    rows = await request.app.state.reader.pull(int(request.headers[VIEWER_HEADER]), after, size + 1)
    edges = [{"cursor": str(row["id"]), "node": _node(row)} for row in rows[:size]]
    return {
        "edges": edges,
        "pageInfo": {"hasNextPage": len(rows) > size, "endCursor": edges[-1]["cursor"] if edges else None},
    }


def _node(row: Any) -> dict[str, Any]:
    return {
        "id": to_global_id("Post", row["id"]),
        "text": row["text"],
        "createdAt": row["created_at"].isoformat(),
        "likeCount": row["like_count"],
        "commentCount": row["comment_count"],
        "viewerHasLiked": row["liked"],
        "author": {
            "id": to_global_id("User", row["author_id"]),
            "username": row["username"],
            "displayName": row["display_name"],
            "avatarUrl": row["avatar_url"],
        },
    }


def make_app() -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.reader = await PeerReader.open()
        yield
        await app.state.reader.close()

    query = QueryType()
    query.set_field("feed", feed)
    endpoint = GraphQL(make_executable_schema(_SCHEMA, query), introspection=False)
    return Starlette(routes=[Route("/graphql", endpoint, methods=["POST"])], lifespan=lifespan)


if __name__ == "__main__":
    serve(make_app)
