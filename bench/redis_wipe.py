"""A total wipe of Redis under load: `python -m bench.redis_wipe [--users 2000] [--rate 100]`.

The whole system, with accounts that follow 50 others each; their feeds are read at a steady rate over HTTP, every page is
compared with the SQL truth. After a while everything in Redis is gone (FLUSHALL). Asked: no wrong page, no error, at most one
rebuild an account, and 95 % of the accounts warm again within 60 s.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import re
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import asyncpg
import httpx
from redis.asyncio import Redis

from bench.feed_reads import feed_request
from bench.system import RunningSystem, running_system, token_of
from bench.table import percentile
from domain.ids import to_global_id

FOLLOWED = 50
POSTS_EACH = 20
PAGE_SIZE = 20
CONNECTIONS = 32
BEFORE_SECONDS = 30.0
AFTER_SECONDS = 60.0
_WARM_SHARE = 0.95
_QUERY = "query($n: Int) { feed(first: $n) { nodes { id } status { complete degradations } } }"

_WORLD = """
INSERT INTO users (id, external_id, username, following_count)
SELECT n, 'w' || n, 'w' || n, $2 FROM generate_series(1, $1::int) AS n;
INSERT INTO follows (follower_id, followee_id)
SELECT n, other FROM generate_series(1, $1::int) AS n, generate_series(1, $2::int) AS step
CROSS JOIN LATERAL (SELECT 1 + (n + step * step + step - 1) % $1::int AS other) AS made WHERE n <> other
ON CONFLICT DO NOTHING;
INSERT INTO posts (id, author_id, text, created_at, delivery)
SELECT ms << 22, author_id, 'post ' || ms, to_timestamp(ms / 1000.0), 'PUSH' FROM (
  SELECT 1700000000000 + 1000 * row_number() OVER (ORDER BY random()) AS ms, author_id
  FROM generate_series(1, $1::int) AS author_id, generate_series(1, $3::int)
) AS made;
"""
_TRUTH = """
SELECT f.follower_id, array_agg(p.id ORDER BY p.id DESC) FROM (
  SELECT follower_id, followee_id FROM follows UNION ALL SELECT id, id FROM users
) f CROSS JOIN LATERAL (SELECT id FROM posts WHERE author_id = f.followee_id) p GROUP BY f.follower_id
"""


@dataclass
class Tally:
    """What the reads of one phase were like."""

    seconds: list[float] = field(default_factory=list)
    wrong: int = 0
    errors: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=2_000)
    parser.add_argument("--rate", type=float, default=100.0, help="reads a second")
    options = parser.parse_args()
    with running_system() as system:
        asyncio.run(_measure(system, options.users, options.rate))


async def _measure(system: RunningSystem, users: int, rate: float) -> None:
    expected = await _make_world(system, users)
    accounts = list(expected)
    random.Random(1).shuffle(accounts)
    body = json.dumps({"query": _QUERY, "variables": {"n": PAGE_SIZE}}).encode()
    requests = {account: feed_request(body, token_of(f"w{account}")) for account in accounts}
    redis = Redis.from_url(system.urls.redis_url)
    async with httpx.AsyncClient(base_url=system.address, timeout=5) as client:
        before = await _read(system.address, requests, expected, rate, BEFORE_SECONDS)
        rebuilt_before = await _rebuilds(client)
        await redis.flushall()
        after = await _read(system.address, requests, expected, rate, AFTER_SECONDS)
        rebuilt = await _rebuilds(client) - rebuilt_before
        warm = len([key async for key in redis.scan_iter("ht:*", count=1_000)])
    await redis.aclose()
    for name, tally in (("before", before), ("after the wipe", after)):
        p50, p99 = (percentile(tally.seconds, share) * 1e3 for share in (0.5, 0.99))
        print(f"{name}: {len(tally.seconds):,} pages, p50 {p50:.1f} ms, p99 {p99:.1f} ms, ", end="")
        print(f"{tally.wrong} wrong, {tally.errors} errors")
    passed = (
        not (before.wrong or before.errors or after.wrong or after.errors) and rebuilt <= users and warm >= _WARM_SHARE * users
    )
    print(f"{rebuilt:,} rebuilds of {users:,} accounts, {warm / users:.1%} warm after {AFTER_SECONDS:.0f} s: ", end="")
    print("passed" if passed else "FAILED")


async def _make_world(system: RunningSystem, users: int) -> dict[int, list[str]]:
    """Inserts people and posts; the first page of everybody by plain SQL."""
    connection = await asyncpg.connect(system.urls.database_url)
    users_sql, follows_sql, posts_sql = (statement for statement in _WORLD.split(";\n") if statement.strip())
    await connection.execute(users_sql, users, FOLLOWED)
    await connection.execute(follows_sql, users, FOLLOWED)
    await connection.execute(posts_sql.replace("$3", "$2"), users, POSTS_EACH)
    await connection.execute("VACUUM ANALYZE")
    rows = await connection.fetch(_TRUTH)
    await connection.close()
    return {row[0]: [to_global_id("Post", post_id) for post_id in row[1][:PAGE_SIZE]] for row in rows}


async def _read(address: str, requests: dict[int, bytes], expected: dict[int, list[str]], rate: float, seconds: float) -> Tally:
    """An open loop: each read is due at its time, whether the one before has its answer or not."""
    tally = Tally()
    idle: asyncio.LifoQueue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.LifoQueue()
    for _ in range(CONNECTIONS):
        idle.put_nowait(await asyncio.open_connection(urlsplit(address).hostname, urlsplit(address).port))
    tasks: set[asyncio.Task[None]] = set()

    async def one(account: int, due: float) -> None:
        reader, writer = await idle.get()
        writer.write(requests[account])
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        body = json.loads(await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0])))
        tally.seconds.append(time.perf_counter() - due)
        idle.put_nowait((reader, writer))
        if "errors" in body:
            tally.errors += 1
            return
        feed = body["data"]["feed"]
        if [node["id"] for node in feed["nodes"]] != expected[account] or not feed["status"]["complete"]:
            tally.wrong += 1

    start = time.perf_counter()
    for number, account in enumerate(itertools.cycle(requests)):
        due = start + number / rate
        if due > start + seconds:
            break
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        task = asyncio.create_task(one(account, due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    while not idle.empty():
        idle.get_nowait()[1].close()
    return tally


async def _rebuilds(client: httpx.AsyncClient) -> int:
    found = re.search(r"^tidings_timeline_rebuilds_total ([0-9.e+]+)$", (await client.get("/metrics")).text, re.MULTILINE)
    return int(float(found[1])) if found else 0


if __name__ == "__main__":
    main()
