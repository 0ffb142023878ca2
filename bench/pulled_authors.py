"""What pulled authors cost a reader: `python -m bench.pulled_authors [--walks 40] [--pages 10]`.

One reader follows 5,000 accounts of which 200 are pulled, the other one 100 that are pushed. Both walk through their feeds,
page by page of 20, in turns, in this process (no HTTP: what is the same for both would only make the ratio look better).

cached: the pulled authors' lists and the reader's set of them are in Valkey. cold: both are forgotten before each walk, so that
its first pages make them anew. without: PostgreSQL is asked for all pulled authors on each page, as if there were no lists.
Fails where the cached page's p50 is more than three times that of the other reader.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pydantic import SecretStr
from sqlalchemy import text

from app.stack.servers import EmbeddedServers
from bench.table import percentile, print_table
from bootstrap import open_backends
from db import feed_candidates
from domain.feed import FeedOrder
from domain.ids import SHARD_MASK
from domain.paging import PageRequest
from migrations.run import upgrade
from services.backends import Backends
from services.feeds import feed_candidates as candidates
from services.feeds.pulled_candidates import PulledReader
from services.feeds.read_home_feed import read_home_feed
from settings import Settings

PULLED, PUSHED, SMALL = 200, 4_800, 100
LIMIT = 3.0
_POSTS = 200_000
_PAGE_SIZE = 20
_FIRST = 1_000_000

_WORLD = (
    """
    INSERT INTO users (id, external_id, username, follower_count, has_pulled_posts)
    SELECT :first + n, 'u' || n, 'u' || n, CASE WHEN n < :pulled THEN 20000 ELSE 1 END, n < :pulled
    FROM generate_series(0, :authors + 1) AS n
    """,
    # One post a 13 ms, each by a random author: pulled ones write as much as all the others together.
    f"""
    INSERT INTO posts (id, author_id, text, created_at, delivery)
    SELECT (ms << 22) | (author & {SHARD_MASK}), author, 'Number ' || n, to_timestamp(ms / 1000.0),
      CASE WHEN author - :first < :pulled THEN 'PULL' ELSE 'PUSH' END
    FROM (
      SELECT n, (extract(epoch FROM now()) * 1000)::bigint - n * 13 AS ms,
        :first + CASE WHEN n % 2 = 0 THEN floor(random() * :pulled)
          ELSE :pulled + floor(random() * (:authors - :pulled)) END::bigint AS author
      FROM generate_series(1, :posts) AS n
    ) AS made
    """,
    """
    INSERT INTO follows (follower_id, followee_id)
    SELECT :first + :authors, :first + n FROM generate_series(0, :authors - 1) AS n
    """,
    """
    INSERT INTO follows (follower_id, followee_id)
    SELECT :first + :authors + 1, :first + :pulled + n FROM generate_series(0, :small - 1) AS n
    """,
    # Background: so that the planner does not see a table of one person's follows.
    """
    INSERT INTO follows (follower_id, followee_id)
    SELECT :first + n, :first + (n * 31 + k * 17) % :authors
    FROM generate_series(0, :authors - 1) AS n, generate_series(1, 40) AS k
    WHERE (n * 31 + k * 17) % :authors <> n ON CONFLICT DO NOTHING
    """,
    """
    UPDATE users SET following_count = (SELECT count(*) FROM follows WHERE follower_id = users.id)
    WHERE id >= :first + :authors
    """,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--walks", type=int, default=40)
    parser.add_argument("--pages", type=int, default=10, help="pages of a walk")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, EmbeddedServers(Path(folder), broker=False, durable=False) as servers:
        sys.exit(asyncio.run(_main(servers, walks=options.walks, pages=options.pages)))


async def _main(servers: EmbeddedServers, *, walks: int, pages: int) -> int:
    await upgrade(servers.urls.database_url)
    settings = Settings(
        database_url=SecretStr(servers.urls.database_url),
        redis_url=SecretStr(servers.urls.redis_url),
        redis_timeout_seconds=2.0,
        database_timeout_seconds=30.0,
    )
    async with open_backends(settings) as backends:
        await _make_world(backends)
        large, small = _FIRST + PULLED + PUSHED, _FIRST + PULLED + PUSHED + 1
        times: dict[str, list[float]] = {"pushed": [], "cached": [], "cold": [], "without": []}
        for _ in range(2 + PULLED // 20):  # not counted: lists are made, statements prepared
            await _walk(backends, large, 1)
            await _walk(backends, small, pages)
        for _ in range(walks):
            times["pushed"] += await _walk(backends, small, pages)
            times["cached"] += await _walk(backends, large, pages)
            with _without_lists():
                times["without"] += await _walk(backends, large, pages)
        for _ in range(walks):
            await backends.pulled_authors.forget(large)
            await backends.pulled_posts.forget([_FIRST + n for n in range(PULLED)])
            times["cold"] += await _walk(backends, large, pages)
    middle = {name: percentile(values, 0.5) for name, values in times.items()}
    names = {
        "pushed": f"follows {SMALL}, all pushed",
        "cached": f"follows {PULLED + PUSHED:,}, {PULLED} pulled: cached",
        "cold": "… the same, lists cold at the first page of each walk",
        "without": "… the same, without lists",
    }
    print(f"{len(times['cached'])} pages of {_PAGE_SIZE} each, load of the machine {os.getloadavg()[0]:.1f}")
    print_table(
        ["", "p50 ms", "p99 ms", "ratio of p50"],
        [
            [
                label,
                f"{middle[name] * 1_000:.1f}",
                f"{percentile(times[name], 0.99) * 1_000:.1f}",
                f"{middle[name] / middle['pushed']:.2f}",
            ]
            for name, label in names.items()
        ],
    )
    is_reached = middle["cached"] <= LIMIT * middle["pushed"]
    print(f"at most {LIMIT:g} times: {'reached' if is_reached else 'MISSED'}")
    return 0 if is_reached else 1


async def _make_world(backends: Backends) -> None:
    numbers = {"first": _FIRST, "pulled": PULLED, "authors": PULLED + PUSHED, "small": SMALL, "posts": _POSTS}
    for statement in _WORLD:
        for name, number in numbers.items():
            statement = statement.replace(f":{name}", str(number))
        async with backends.database.writing() as session:
            await session.execute(text(statement))
    async with backends.database.reading() as session:
        await session.execute(text("VACUUM ANALYZE"))


async def _walk(backends: Backends, viewer_id: int, pages: int) -> list[float]:
    """Seconds of each page of one walk."""
    took: list[float] = []
    cursor: str | None = None
    for _ in range(pages):
        began = time.perf_counter()
        page = await read_home_feed(
            backends, viewer_id=viewer_id, page=PageRequest(_PAGE_SIZE, cursor, False), order=FeedOrder.LATEST
        )
        took.append(time.perf_counter() - began)
        assert len(page.edges) == _PAGE_SIZE
        cursor = page.page_info.end_cursor
    return took


@contextmanager
def _without_lists() -> Iterator[None]:
    """As it was before there were lists: the statement for what no timeline holds asks for all pulled authors."""

    async def with_pulled(*arguments: Any, **named: Any) -> feed_candidates.UnpushedIds:
        return await feed_candidates.load_unpushed_ids(*arguments, **{**named, "with_pulled": True})

    async def nothing(*_: object, **__: object) -> list[int]:
        return []

    with patch.object(candidates, "load_unpushed_ids", with_pulled), patch.object(PulledReader, "next_ids", nothing):
        yield


if __name__ == "__main__":
    main()
