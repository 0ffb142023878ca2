"""How deep and how cold a feed may be: `python -m bench.feed_depth [--rebuilds 60]`.

*Depth*: a reader with 100,000 candidates (500 followed accounts with 200 posts each), cap 500, pages to the end with 20 entries
a page; the last pages may cost 1.5 times the first ones below the cap. *Rebuild*: a cold timeline of a reader who follows 1,000
accounts with 200 posts each: p50 at most 60 ms, two SQL statements. Use cases are called directly, without HTTP.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import event, text

from app.stack.servers import EmbeddedServers
from bench.table import percentile, print_table
from bootstrap import open_backends
from db.feed_candidates import load_feed_viewer
from domain.feed import FeedOrder
from domain.paging import PageRequest
from migrations.run import upgrade
from services.backends import Backends
from services.feeds.read_home_feed import read_home_feed
from services.feeds.rebuild_timeline import rebuild_timeline
from settings import Settings

AUTHORS = 1_000
POSTS_EACH = 200
FOLLOWED_BY_DEEP = 500
PAGE_SIZE = 20
CAP = 500
COMPARED_PAGES = 100
DEEP, WIDE = 1, 2
_MAX_RATIO = 1.5
_MAX_REBUILD_SECONDS = 0.060
_FIRST_AUTHOR = 1_000
_FIRST_MS = 1_700_000_000_000

_WORLD = f"""
INSERT INTO users (id, external_id, username, following_count) VALUES
  ({DEEP}, 'deep', 'deep', {FOLLOWED_BY_DEEP}), ({WIDE}, 'wide', 'wide', {AUTHORS});
INSERT INTO users (id, external_id, username, follower_count)
SELECT {_FIRST_AUTHOR} + n, 'a' || n, 'a' || n, 2 FROM generate_series(0, {AUTHORS - 1}) AS n;
INSERT INTO follows (follower_id, followee_id) SELECT {WIDE}, {_FIRST_AUTHOR} + n FROM generate_series(0, {AUTHORS - 1}) AS n;
INSERT INTO follows (follower_id, followee_id)
SELECT {DEEP}, {_FIRST_AUTHOR} + n FROM generate_series(0, {FOLLOWED_BY_DEEP - 1}) AS n;
INSERT INTO posts (id, author_id, text, created_at, delivery)
SELECT ms << 22, author_id, 'post ' || ms, to_timestamp(ms / 1000.0), 'PUSH' FROM (
  SELECT {_FIRST_MS} + 1000 * row_number() OVER (ORDER BY random()) AS ms, {_FIRST_AUTHOR} + a AS author_id
  FROM generate_series(0, {AUTHORS - 1}) AS a, generate_series(1, {POSTS_EACH})
) AS made;
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rebuilds", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, EmbeddedServers(Path(folder), broker=False, durable=False) as servers:
        asyncio.run(_measure(servers, options.rebuilds))


async def _measure(servers: EmbeddedServers, rebuilds: int) -> None:
    await upgrade(servers.urls.database_url)
    settings = Settings(
        database_url=SecretStr(servers.urls.database_url), redis_url=SecretStr(servers.urls.redis_url), feed_cap=CAP
    )
    async with open_backends(settings.model_copy(update={"database_timeout_seconds": 60.0})) as backends:
        async with backends.database.writing() as session:
            for statement in _WORLD.split(";\n"):
                if statement.strip():
                    await session.execute(text(statement))
        async with backends.database.reading() as session:
            await session.execute(text("VACUUM ANALYZE"))
        await _depth(backends)
        await _rebuild(backends, rebuilds)


async def _depth(backends: Backends) -> None:
    """Walks the whole feed; pages within the cached slice, the first below it, and the last ones."""
    seconds: list[float] = []
    found, cursor, more = 0, None, True
    while more:
        began = time.perf_counter()
        page = await read_home_feed(
            backends, viewer_id=DEEP, page=PageRequest(PAGE_SIZE, cursor, backward=False), order=FeedOrder.LATEST
        )
        seconds.append(time.perf_counter() - began)
        found += len(page.edges)
        cursor, more = page.page_info.end_cursor, page.page_info.has_next_page
    assert found == FOLLOWED_BY_DEEP * POSTS_EACH, found
    cached, below = seconds[1 : CAP // PAGE_SIZE], seconds[CAP // PAGE_SIZE :]
    first, last = below[:COMPARED_PAGES], below[-COMPARED_PAGES:]
    ratio = statistics.median(last) / statistics.median(first)
    print(f"{found:,} entries on {len(seconds):,} pages of {PAGE_SIZE}")
    rows = [["within the cap", cached], [f"first {COMPARED_PAGES} below", first], [f"last {COMPARED_PAGES}", last]]
    print_table(
        ["pages", "p50 ms", "p99 ms"],
        [[name, f"{percentile(part, 0.5) * 1e3:.1f}", f"{percentile(part, 0.99) * 1e3:.1f}"] for name, part in rows],  # type: ignore[arg-type,list-item]
    )
    print(f"last / first below the cap: {ratio:.2f} (at most {_MAX_RATIO}): {'passed' if ratio <= _MAX_RATIO else 'FAILED'}")


async def _rebuild(backends: Backends, times: int) -> None:
    """The rebuild as a reader who finds the timeline cold does it: the viewer's row, then the rows of the timeline."""
    seconds: list[float] = []
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    event.listen(backends.database.engine.sync_engine, "before_cursor_execute", count)
    for _ in range(times):
        await backends.timelines.forget([WIDE])
        statements = 0
        began = time.perf_counter()
        async with backends.database.reading() as session:
            viewer = await load_feed_viewer(session, WIDE)
            assert viewer is not None
            rows = await rebuild_timeline(backends, session, WIDE, version=viewer.timeline_version)
        seconds.append(time.perf_counter() - began)
        assert rows is not None
        assert len(rows) == CAP + 1
    p50 = percentile(seconds, 0.5)
    print(
        f"rebuild of {AUTHORS:,} x {POSTS_EACH}: p50 {p50 * 1e3:.1f} ms, p99 {percentile(seconds, 0.99) * 1e3:.1f} ms, "
        f"{statements} SQL statements (at most {_MAX_REBUILD_SECONDS * 1e3:.0f} ms and 2): "
        f"{'passed' if p50 <= _MAX_REBUILD_SECONDS and statements <= 2 else 'FAILED'}"
    )


if __name__ == "__main__":
    main()
