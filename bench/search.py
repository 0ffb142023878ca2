"""How long searches take over a million posts: `python -m bench.search [--posts N]`.

Each class of queries is asked in turn, mixed at random by its share, through the GraphQL engine, one request at a time on one
process: figures are what one request takes where nobody else asks. See `CLASSES` for the mix. The world is
`bench.search_world`: posts of a year with words after Zipf's law.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text

from app.stack.servers import EmbeddedServers
from app.stack.urls import ServerUrls
from bench.search_world import EVENT_WORD, HASHTAGS, WorldWords, make_world
from bench.table import percentile, print_table
from bootstrap import open_backends
from migrations.run import upgrade
from resolvers.context import OperationContext
from schema.execution import Engine
from services.accounts.find_people import load_visible_users
from services.backends import Backends
from services.discovery.trending_hashtags import refresh_trends
from settings import Settings
from tests.live_hub import idle_hub

TARGET_MS = 150
POSTS = """
  query ($q: String!, $after: String) { searchPosts(query: $q, first: 20, after: $after) {
    edges { cursor node { id text createdAt likeCount commentCount viewerHasLiked author { id username displayName } } }
    pageInfo { hasNextPage endCursor }
  } }
"""
PEOPLE = "query ($q: String!) { searchUsers(query: $q) { nodes { id username displayName viewerFollowState } } }"
TRENDS = "{ trendingHashtags { hashtag { id name } recentPostCount } }"


@dataclass(frozen=True, slots=True)
class QueryClass:
    """A kind of query: its share of the mix, how one is drawn, and on which page of the result one looks."""

    name: str
    share: float
    draw: Callable[[Random, WorldWords], str]
    page: int = 1


def _word(lowest_rank: int, highest_rank: int) -> Callable[[Random, WorldWords], str]:
    return lambda random, words: words.words[random.randrange(lowest_rank, highest_rank)]


COMMON, MIDDLE, RARE = (0, 9), (20, 1_000), (8_000, 100_000)
"""Ranks of words in more than a tenth of the posts, in 0.1 to 5 %, in fewer than a hundred posts."""

CLASSES = (
    QueryClass("rare word (< 100 posts)", 0.30, _word(*RARE)),
    QueryClass("middle word (0.1-5 %)", 0.15, _word(*MIDDLE)),
    QueryClass("very common word (> 10 %)", 0.15, _word(*COMMON)),
    QueryClass("two very common words", 0.05, lambda r, w: f"{_word(*COMMON)(r, w)} {_word(*COMMON)(r, w)}"),
    QueryClass("common and rare word", 0.05, lambda r, w: f"{_word(*COMMON)(r, w)} {_word(*RARE)(r, w)}"),
    QueryClass("two middle words", 0.05, lambda r, w: f"{_word(*MIDDLE)(r, w)} {_word(*MIDDLE)(r, w)}"),
    QueryClass("phrase of common words", 0.04, lambda r, w: f'"{_word(*COMMON)(r, w)} {_word(*COMMON)(r, w)}"'),
    QueryClass("without a common word", 0.02, lambda r, w: f"{_word(*MIDDLE)(r, w)} -{_word(*COMMON)(r, w)}"),
    QueryClass("this word or that", 0.02, lambda r, w: f"{_word(*MIDDLE)(r, w)} or {_word(*RARE)(r, w)}"),
    QueryClass("hashtag", 0.05, lambda r, w: f"#{w.words[100 + r.randrange(HASHTAGS)]}"),
    QueryClass("part of a word", 0.03, lambda r, w: _word(*RARE)(r, w)[1:]),
    QueryClass("no such word", 0.04, lambda r, _: f"qx{r.randrange(10**9)}z"),
    QueryClass("common a while ago, not now", 0.02, lambda _r, _w: EVENT_WORD),
    QueryClass("two Chinese characters", 0.02, lambda r, _: "".join(r.sample("中国工作时候学生产品同行方法", 2))),
    QueryClass("very common word, page 5", 0.01, _word(*COMMON), page=5),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database-url", help="of a world of the same seed that was made before")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="tidings-bench-") as folder,
        EmbeddedServers(Path(folder), durable=False) as servers,
    ):
        asyncio.run(_run(servers.urls, options))


async def _run(urls: ServerUrls, options: argparse.Namespace) -> None:
    database_url = options.database_url or urls.database_url
    if not options.database_url:
        await upgrade(database_url)
        began = time.perf_counter()
        index_seconds = await make_world(database_url, users=options.users, posts=options.posts, seed=options.seed)
        print(f"world made in {time.perf_counter() - began:,.0f} s, of that {index_seconds:,.0f} s for the search index")
    settings = Settings(
        database_url=SecretStr(database_url), redis_url=SecretStr(urls.redis_url), broker_url=SecretStr(urls.broker_url)
    )
    random = Random(options.seed + 1)
    words = WorldWords.make(Random(options.seed))
    async with open_backends(settings) as backends:
        await _report_sizes(backends)
        asker = Asker(backends, Engine(has_introspection=False))
        await asker.sign_in(1)
        await _search(asker, random, words, options.requests)
        await _others(asker, backends, random, options.users)


class Asker:
    """Sends operations as one signed-in viewer."""

    def __init__(self, backends: Backends, engine: Engine) -> None:
        self._backends = backends
        self._engine = engine
        self._viewer: Any = None
        self._hub = idle_hub(backends)

    async def sign_in(self, viewer_id: int) -> None:
        self._viewer = (await load_visible_users(self._backends, [viewer_id], viewer_id=viewer_id))[viewer_id]

    async def ask(self, document: str, **variables: Any) -> tuple[Any, float]:
        """The data, and the seconds that it took."""
        began = time.perf_counter()
        context = OperationContext(self._backends, self._hub, self._viewer)
        answer = await self._engine.execute(self._engine.prepare(document, None, variables), context)
        seconds = time.perf_counter() - began
        assert "errors" not in answer, (variables, answer)
        return answer["data"], seconds


async def _search(asker: Asker, random: Random, words: WorldWords, requests: int) -> None:
    for kind in CLASSES:  # connections, plans, memory
        await asker.ask(POSTS, q=kind.draw(random, words), after=None)
    taken: dict[str, list[float]] = defaultdict(list)
    hits: dict[str, list[int]] = defaultdict(list)
    for kind in random.choices(CLASSES, [kind.share for kind in CLASSES], k=requests):
        query, cursor, page = kind.draw(random, words), None, None
        seconds = 0.0
        for _ in range(kind.page):
            data, seconds = await asker.ask(POSTS, q=query, after=cursor)
            page = data["searchPosts"]
            cursor = page["pageInfo"]["endCursor"]
        assert page is not None
        taken[kind.name].append(seconds)
        hits[kind.name].append(len(page["edges"]))
    rows = [
        [kind.name, f"{kind.share:.0%}", f"{sum(hits[kind.name]) / len(hits[kind.name]):.1f}", *_figures(taken[kind.name])]
        for kind in CLASSES
        if taken[kind.name]
    ]
    everything = [seconds for several in taken.values() for seconds in several]
    rows.append(["the mix", "100%", "", *_figures(everything)])
    print_table(["query", "share", "entries", "n", "p50 ms", "p95 ms", "p99 ms", "max ms"], rows)
    verdict = "reached" if percentile(everything, 0.95) * 1_000 <= TARGET_MS else "MISSED"
    print(f"target: p95 of the mix <= {TARGET_MS} ms: {verdict}")


async def _others(asker: Asker, backends: Backends, random: Random, users: int) -> None:
    began = time.perf_counter()
    await refresh_trends(backends)
    print(f"trends computed in {time.perf_counter() - began:.2f} s")
    trends = [(await asker.ask(TRENDS))[1] for _ in range(300)]
    people = [(await asker.ask(PEOPLE, q=f"user{random.randrange(users)}"[: random.randrange(1, 10)]))[1] for _ in range(300)]
    rows = [["trendingHashtags", *_figures(trends)], ["searchUsers, one letter to a whole name", *_figures(people)]]
    print_table(["query", "n", "p50 ms", "p95 ms", "p99 ms", "max ms"], rows)


def _figures(seconds: list[float]) -> list[str]:
    shares = (percentile(seconds, 0.5), percentile(seconds, 0.95), percentile(seconds, 0.99), max(seconds))
    return [f"{len(seconds):,}", *(f"{value * 1_000:,.1f}" for value in shares)]


async def _report_sizes(backends: Backends) -> None:
    statement = text(
        """
        SELECT count(*), pg_size_pretty(pg_relation_size('searchable_posts')),
          pg_size_pretty(pg_relation_size('ix_searchable_posts_words')), pg_size_pretty(pg_total_relation_size('posts'))
        FROM searchable_posts
        """
    )
    async with backends.database.reading() as session:
        posts, table, index, all_of_posts = (await session.execute(statement)).one()
    print(f"{posts:,} posts to be found, their texts and words {table}, index {index}; beside posts of {all_of_posts}")


if __name__ == "__main__":
    main()
