"""The feed query on graphql-core and compiled, over records and loaders in memory: CPU per operation, both in one run.

    python -m bench.compiled_execution --rounds 15

Parsing and validation are left out: both executors have the document. Rounds of the two alternate; what counts is the ratio.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import orjson
import strawberry
import uvloop
from aiodataloader import DataLoader
from graphql import OperationDefinitionNode, execute, parse
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from graphql_compiler import CompiledOperations

QUERY = """
query ($n: Int!, $after: String) { feed(first: $n, after: $after) {
  edges { cursor node { id text createdAt likeCount commentCount viewerHasLiked
    author { id username displayName avatarUrl } } }
  pageInfo { hasNextPage endCursor } } }
"""


@dataclass(frozen=True, slots=True)
class UserRecord:
    id: str
    username: str
    display_name: str
    avatar_url: str | None


@dataclass(frozen=True, slots=True)
class PostRecord:
    id: str
    text: str
    created_at: str
    like_count: int
    comment_count: int
    author_id: int


@dataclass(frozen=True, slots=True)
class EdgeRecord:
    cursor: str
    node: PostRecord


@dataclass(frozen=True, slots=True)
class PageInfoRecord:
    has_next_page: bool
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class PageRecord:
    edges: list[EdgeRecord]
    page_info: PageInfoRecord


@strawberry.type
class User:
    id: strawberry.ID
    username: str
    display_name: str
    avatar_url: str | None


class Context:
    """One operation's loaders."""

    def __init__(self) -> None:
        self.users: DataLoader[int, UserRecord] = DataLoader(_load_users)
        self.likes: DataLoader[str, bool] = DataLoader(_load_likes)


async def _load_users(keys: list[int]) -> list[UserRecord]:
    return [_USERS[key] for key in keys]


async def _load_likes(keys: list[str]) -> list[bool]:
    return [hash(key) % 3 == 0 for key in keys]


async def _author(root: PostRecord, info: strawberry.Info[Context, None]) -> UserRecord:
    return await info.context.users.load(root.author_id)


async def _viewer_has_liked(root: PostRecord, info: strawberry.Info[Context, None]) -> bool:
    return await info.context.likes.load(root.id)


@dataclass(frozen=True, slots=True)
class Batch:
    """Marks a resolver as loadable for whole lists."""

    loader: Callable[[Any], Any]
    key: Callable[[Any, Any], Any]
    finish: None = None


@strawberry.type
class Post:
    id: strawberry.ID
    text: str
    created_at: str
    like_count: int
    comment_count: int
    author = strawberry.field(resolver=_author, graphql_type=User)
    viewer_has_liked = strawberry.field(resolver=_viewer_has_liked, graphql_type=bool)


@strawberry.type
class Edge:
    cursor: str
    node: Post


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class Page:
    edges: list[Edge]
    page_info: PageInfo


async def _feed(info: strawberry.Info[Context, None], first: int, after: str | None = None) -> PageRecord:
    return PageRecord(_EDGES[:first], PageInfoRecord(True, _EDGES[first - 1].cursor))


@strawberry.type
class Query:
    feed = strawberry.field(resolver=_feed, graphql_type=Page)


_USERS = [UserRecord(f"VXNlcjox{n}", f"user{n}", f"The user no. {n}", None if n % 2 else f"/avatars/{n}") for n in range(50)]
_POSTS = [
    PostRecord(
        f"UG9zdDox{n}",
        f"Post no. {n}: " + "some words, “quoted” " * 8,
        datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
        n,
        n,
        n % 17,
    )
    for n in range(100)
]
_EDGES = [EdgeRecord(f"cursor-{n}", post) for n, post in enumerate(_POSTS)]


def mark_batches() -> None:
    """Only the compiler looks at this."""
    _author.batch = Batch(lambda context: context.users, lambda root, _: root.author_id)  # type: ignore[attr-defined]
    _viewer_has_liked.batch = Batch(lambda context: context.likes, lambda root, _: root.id)  # type: ignore[attr-defined]


async def _measure(call: Callable[[], Awaitable[Any]], count: int) -> float:
    """CPU µs per call."""
    began = time.process_time()
    for _ in range(count):
        await call()
    return (time.process_time() - began) / count * 1e6


async def main(rounds: int, count: int) -> None:
    mark_batches()
    schema = strawberry.Schema(query=Query)
    document = parse(QUERY)
    [node] = document.definitions
    variables = {"n": 20, "after": None}
    operations = CompiledOperations(schema, compile_at=1)

    async def on_graphql_core() -> bytes:
        result: Any = execute(
            schema._schema,
            document,
            context_value=Context(),
            variable_values=variables,
            executor_class=cast("Any", StrawberryGraphQLCoreExecutionContext),
        )
        return orjson.dumps((await result).data)

    async def compiled() -> bytes:
        ready = operations.find(QUERY, document, cast("OperationDefinitionNode", node), variables)
        assert ready is not None
        result = await ready.execute(None, Context())
        assert result is not None
        return result.data_json

    assert await on_graphql_core() == await compiled(), "both give the same page"
    times: dict[str, list[float]] = {"graphql-core": [], "compiled": []}
    for _ in range(rounds):
        times["graphql-core"].append(await _measure(on_graphql_core, max(count // 20, 1)))
        times["compiled"].append(await _measure(compiled, count))
    began = time.process_time()
    CompiledOperations(schema, compile_at=1).find(QUERY, document, cast("OperationDefinitionNode", node), variables)
    compile_ms = (time.process_time() - began) * 1e3
    medians = {name: statistics.median(values) for name, values in times.items()}
    ratios = [core / ours for core, ours in zip(times["graphql-core"], times["compiled"], strict=True)]
    for name, median in medians.items():
        print(f"{name:14} {median:9.1f} µs CPU per operation (median of {rounds}; least {min(times[name]):.1f})")
    print(f"ratio          {statistics.median(ratios):9.1f} (of paired rounds; {min(ratios):.1f} to {max(ratios):.1f})")
    print(f"compiling      {compile_ms:9.1f} ms, once an operation")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--count", type=int, default=400, help="operations of a round; graphql-core has a twentieth")
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(options.rounds, options.count))
