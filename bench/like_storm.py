"""Likes a second over HTTP, how late they reach the posts' rows, and whether every one of them is counted.

`python -m bench.like_storm [--seconds 30] [--posts 200] [--connections 32]` likes and unlikes as fast as it is answered, with
one API and one worker process and limits off; with `--posts 1` all of it on one post.
`python -m bench.like_storm --exact` is the race: 200 people like and unlike one post 50 times each, all at once, while the
worker is killed (SIGKILL) again and again. At the end the count is compared with the rows and with what was answered.

The client is a process of its own with connections that are kept. Flush lag: from the commit of a batch's oldest like to the
worker's taking it, by the worker's own histogram.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.live.process_figures import cpu_seconds
from bench.live.system import LiveSystem, running_live_system
from bench.metrics_text import histogram_share, read_metrics
from bench.system import token_of
from bench.table import print_table, spread
from domain.ids import make_id, to_global_id

PEOPLE = 2_000
_LAG = "tidings_counter_flush_lag_seconds"
_KILL_SECONDS = (0.1, 0.8)
_PEOPLE_SQL = """
    INSERT INTO users (external_id, username, display_name) SELECT 'p' || n, 'p' || n, '' FROM generate_series(1, $1) AS n
"""
_POSTS_SQL = """
    INSERT INTO posts (id, author_id, text, created_at, delivery)
    SELECT id, (SELECT min(id) FROM users), 'like me', to_timestamp((id >> 22) / 1000.0), 'PUSH' FROM unnest($1::bigint[]) AS id
"""
_FOUND_SQL = """
    SELECT p.id, p.like_count, (SELECT count(*) FROM likes WHERE post_id = p.id),
      (SELECT coalesce(sum(likes), 0) FROM counter_changes WHERE post_id = p.id) FROM posts p
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--posts", type=int, default=200)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--exact", action="store_true")
    options = parser.parse_args()
    with asyncio.Runner() as runner:
        runner.run(_measure(options))


async def _measure(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="tidings-bench-") as folder:
        async with running_live_system(Path(folder), environment={"TIDINGS_LIMITS": "off"}) as system:
            connection = await asyncpg.connect(system.urls.database_url)
            await connection.execute(_PEOPLE_SQL, PEOPLE)
            posts = 1 if options.exact else options.posts
            now = int(time.time() * 1_000)
            ids = [make_id(milliseconds=now - number, sequence=0, shard=0) for number in range(posts)]
            await connection.execute(_POSTS_SQL, ids)
            await connection.execute("ANALYZE users")
            if options.exact:
                await _race(system, connection, ids[0])
            else:
                await _storm(system, connection, ids, options)
            await connection.close()


async def _storm(system: LiveSystem, connection: asyncpg.Connection, ids: list[int], options: argparse.Namespace) -> None:
    names = [f"p{number}" for number in range(1, PEOPLE + 1)]
    # Not counted: connections are opened and statements prepared.
    await _run_client(system, names, ids, connections=options.connections, seconds=2.0)
    pids = {"API": system.api_pid, "worker": system.pid_of("worker 1"), "relay": system.pid_of("relay")}
    before, used = await read_metrics(system.address), {name: cpu_seconds(pid) for name, pid in pids.items()}
    answer = await _run_client(system, names, ids, connections=options.connections, seconds=options.seconds)
    after = await read_metrics(system.address)
    count = len(answer.latencies)
    print(f"{count} likes and unlikes of {len(ids)} posts in {answer.seconds:.1f} s, load {os.getloadavg()[0]:.1f}")
    cost = {name: f"{(cpu_seconds(pid) - used[name]) / count * 1_000:.2f}" for name, pid in pids.items()}
    lag = histogram_share(before, after, _LAG, 0.99)
    print_table(
        ["answered/s", "refused", "p50 ms", "p99 ms", "max ms", "flush lag p99 ≤ s", *(f"{name} CPU ms" for name in cost)],
        [[f"{count / answer.seconds:,.0f}", str(answer.refused), *spread(answer.latencies), f"{lag:g}", *cost.values()]],
    )
    await _check_at_rest(connection)


async def _race(system: LiveSystem, connection: asyncpg.Connection, post_id: int) -> None:
    names = [f"p{number}" for number in range(1, 201)]
    client = asyncio.create_task(_run_client(system, names, [post_id], connections=200, turns=50))
    chance, kills = random.Random(1), 0
    while not client.done():
        await asyncio.sleep(chance.uniform(*_KILL_SECONDS))
        system.kill("worker 1")
        kills += 1
        await asyncio.sleep(0.5)
    answer = await client
    told = f"{len(answer.latencies)} likes and unlikes by {len(names)} people, {answer.refused} refused"
    print(f"{told}, worker killed {kills} times, load {os.getloadavg()[0]:.1f}")
    await _check_at_rest(connection)


async def _check_at_rest(connection: asyncpg.Connection) -> None:
    """Waits until nothing is in flight; then each count must be that of the rows. Before it is, shown counts must be, too."""
    deadline = time.monotonic() + 60
    while True:
        found = await connection.fetch(_FOUND_SQL)
        assert all(row[1] + row[3] == row[2] for row in found), "a shown count is not that of the rows"
        if not any(row[3] for row in found) and not await connection.fetchval("SELECT count(*) FROM counter_changes"):
            break
        assert time.monotonic() < deadline, "something stays in flight"
        await asyncio.sleep(0.1)
    total = sum(row[1] for row in found)
    print(f"at rest: {total} likes counted, {sum(row[2] for row in found)} rows, exact on {len(found)} posts")


@dataclass(frozen=True, slots=True)
class _Answers:
    seconds: float
    latencies: list[float]
    refused: int


async def _run_client(
    system: LiveSystem, names: list[str], ids: list[int], *, connections: int, seconds: float = 0.0, turns: int = 0
) -> _Answers:
    wish = {
        "port": system.port,
        "tokens": [token_of(name) for name in names],
        "posts": [to_global_id("Post", post_id) for post_id in ids],
        "connections": connections,
        "seconds": seconds,
        "turns": turns,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.like_client", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    output, _ = await process.communicate(json.dumps(wish).encode())
    assert process.returncode == 0, "the client failed"
    return _Answers(**json.loads(output))


if __name__ == "__main__":
    main()
