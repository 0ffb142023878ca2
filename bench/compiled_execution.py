"""The feed query over pages in memory, by graphql-core, compiled, and by hand: CPU per operation, all in one run.

    python -m bench.compiled_execution --rounds 15

Our own schema and resolvers; only what reads a page is replaced by what hands out one that is there. Left out: parsing,
validation, authentication, limits, and reading the page. `fresh`: records that nothing was rendered of, new for each operation.
`kept`: the records of an in-process cache. `by hand`: an endpoint that knows this selection, without errors, variables, types.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import orjson
import uvloop
from graphql import OperationDefinitionNode, execute, parse
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from domain.engagement import ViewerMarks
from domain.feed import FeedEntry, FeedOrder, FeedPage, FeedState, FeedStatus, PageExtras
from domain.ids import to_global_id
from domain.paging import PageInfo
from domain.records import NO_RELATION, Delivery, PostFacts, PostRecord, UserRecord, Visibility
from graphql_compiler import CompiledOperations, write_json
from resolvers import feeds
from resolvers.context import OperationContext
from schema.build import build_schema
from schema.scalars import format_instant

QUERY = """
query ($n: Int, $after: String) { feed(first: $n, after: $after) {
  edges { cursor node { id text createdAt likeCount commentCount viewerHasLiked
    author { id username displayName avatarUrl } } }
  pageInfo { hasNextPage endCursor } } }
"""
SIZE = 20
PEOPLE = 300
POSTS = 2_000
_MADE = datetime(2026, 1, 1, tzinfo=UTC)


def _person(number: int) -> UserRecord:
    picture = None if number % 2 else f"https://pictures.example/{number}.webp"
    counts = (number, number, number)
    return UserRecord(
        number,
        f"ext-{number}",
        f"user{number}",
        f"The user no. {number}",
        "",
        picture,
        False,
        False,
        False,
        False,
        _MADE,
        *counts,
    )


def _post(number: int) -> PostRecord:
    text = f"Post no. {number}: " + "some words, “quoted” " * 8
    return PostRecord(
        number, number % PEOPLE, text, [], None, Visibility.PUBLIC, _MADE, None, False, 7, 3, 1, Delivery.PUSH, None, False
    )


def _page(drawn: random.Random, posts: list[PostRecord], people: list[UserRecord], *, is_fresh: bool) -> FeedPage:
    entries, marks, relations = [], {}, {}
    for post in drawn.sample(posts, SIZE):
        author = people[post.author_id]
        if is_fresh:
            post, author = replace(post), replace(author)
        # As a process remembers them: read together.
        post = post.by(author)
        entries.append(FeedEntry.of(f"{drawn.getrandbits(256):043x}"[:43], PostFacts(post, author, NO_RELATION), []))
        marks[post.root_id] = ViewerMarks(drawn.random() < 0.2, False)
        relations[author.id] = NO_RELATION
    status = FeedStatus(FeedState.READY, True, _MADE, FeedOrder.LATEST, None, [])
    page_info = PageInfo(True, False, entries[0].cursor, entries[-1].cursor)
    return FeedPage(entries, page_info, status, "event-cursor", PageExtras({}, {}, marks, {}, relations))


def _by_hand(page: FeedPage) -> bytes:
    extras = page.extras
    assert extras is not None
    edges = []
    for entry in page.edges:
        post, author = entry.facts.post, entry.facts.author
        node = {
            "id": to_global_id("Post", post.id),
            "text": post.text,
            "createdAt": format_instant(post.created_at),
            "likeCount": post.like_count,
            "commentCount": post.comment_count,
            "viewerHasLiked": extras.marks[post.root_id].has_liked,
            "author": {
                "id": to_global_id("User", author.id),
                "username": author.username,
                "displayName": author.display_name,
                "avatarUrl": author.avatar_url,
            },
        }
        edges.append({"cursor": entry.cursor, "node": node})
    info = {"hasNextPage": page.page_info.has_next_page, "endCursor": page.page_info.end_cursor}
    return orjson.dumps({"feed": {"edges": edges, "pageInfo": info}})


async def _measure(call: Callable[[FeedPage], Awaitable[Any]], pages: list[FeedPage]) -> float:
    """CPU µs per call."""
    began = time.process_time()
    for page in pages:
        await call(page)
    return (time.process_time() - began) / len(pages) * 1e6


class _Media:
    store = None


class _Backends:
    media = _Media()


async def main(rounds: int, count: int) -> None:
    schema, drawn = build_schema(), random.Random(1)
    document = parse(QUERY)
    node = cast("OperationDefinitionNode", document.definitions[0])
    variables = {"n": SIZE, "after": None}
    operations = CompiledOperations(schema, compile_at=1)
    viewer = _person(PEOPLE)
    shown: list[FeedPage] = []

    async def read_home_feed(*_: object, **__: object) -> FeedPage:
        return shown[0]

    vars(feeds)["read_home_feed"] = read_home_feed

    def context_for(page: FeedPage) -> OperationContext:
        shown[:] = [page]
        return OperationContext(cast("Any", _Backends), cast("Any", None), viewer)

    async def on_graphql_core(page: FeedPage) -> bytes:
        result: Any = execute(
            schema._schema,
            document,
            context_value=context_for(page),
            variable_values=variables,
            executor_class=cast("Any", StrawberryGraphQLCoreExecutionContext),
        )
        return orjson.dumps((await result).data)

    async def compiled(page: FeedPage) -> bytes:
        ready = operations.find(QUERY, document, node, variables)
        assert ready is not None
        result = await ready.execute(None, context_for(page))
        assert result is not None
        return write_json(result.tree)

    async def by_hand(page: FeedPage) -> bytes:
        return _by_hand(page)

    people = [_person(number) for number in range(PEOPLE)]
    posts = [_post(number) for number in range(POSTS)]
    kept = [_page(drawn, posts, people, is_fresh=False) for _ in range(count)]
    for page in [*kept, *kept]:
        assert await compiled(page) == await by_hand(page), "all give the same page"
    assert await on_graphql_core(kept[0]) == await compiled(kept[0]), "all give the same page"
    times: dict[str, list[float]] = {
        "graphql-core": [],
        "by hand, fresh": [],
        "by hand, kept": [],
        "compiled, fresh": [],
        "compiled, kept": [],
    }
    for _ in range(rounds):
        fresh = [_page(drawn, posts, people, is_fresh=True) for _ in range(count)]
        times["graphql-core"].append(await _measure(on_graphql_core, kept[: max(count // 20, 1)]))
        times["by hand, fresh"].append(await _measure(by_hand, fresh))
        times["by hand, kept"].append(await _measure(by_hand, kept))
        times["compiled, fresh"].append(await _measure(compiled, fresh))
        times["compiled, kept"].append(await _measure(compiled, kept))
    began = time.process_time()
    CompiledOperations(schema, compile_at=1).find(QUERY, document, node, variables)
    compile_ms = (time.process_time() - began) * 1e3
    for name, values in times.items():
        ratios = [core / each for core, each in zip(times["graphql-core"], values, strict=True)]
        ratio = statistics.median(ratios)
        print(f"{name:16} {statistics.median(values):8.1f} µs (least {min(values):.1f}); graphql-core / this: {ratio:.1f}")
    print(f"compiling        {compile_ms:8.1f} ms, once an operation")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--count", type=int, default=400, help="operations of a round; graphql-core has a twentieth")
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(options.rounds, options.count))
