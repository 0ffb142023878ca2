"""What a post costs whoever writes it: `python -m bench.create_post [--seconds 10] [--connections 32] [--kind plain]`.

First over HTTP, one API process, limits off, no worker and no relay: posts a second and the CPU time of each process a post;
then relay and worker are started, and the time is taken until every post is delivered. Second the use case alone, in this
process, without HTTP and GraphQL. `--kind`: plain, hashtag (one of 1,000), or mention (one of 1,000 accounts). Each author has
20 followers, all asleep.
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
from typing import Any

import asyncpg
import uvloop
from pydantic import SecretStr

from bench.create_post_client import HASHTAG, MENTION, PLAIN, make_text
from bench.live.process_figures import cpu_seconds, family_cpu_seconds
from bench.live.system import LiveSystem, running_live_system
from bench.system import token_of
from bench.table import print_table, spread
from bootstrap import open_backends
from domain.records import Visibility
from services.posts.publish_post import publish_post
from settings import Settings

PEOPLE = 320
"""Few enough that all of them have signed in before what is counted."""
FOLLOWERS = 20
_WARM_SECONDS = 3.0
_DRAINED_SECONDS = 600.0
_PEOPLE_SQL = f"""
    INSERT INTO users (external_id, username, display_name, follower_count, following_count)
    SELECT 'p' || n, 'p' || n, '', {FOLLOWERS}, {FOLLOWERS} FROM generate_series(1, $1) AS n
"""
_FOLLOWS_SQL = f"""
    WITH people AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM users)
    INSERT INTO follows (follower_id, followee_id)
    SELECT a.id, b.id FROM people a CROSS JOIN generate_series(1, {FOLLOWERS}) AS step
    JOIN people b ON b.place = (a.place + step) % $1
"""
POST_ALONE = "mutation($i: CreatePostInput!) { createPost(input: $i) { post { id text createdAt } userErrors { code } } }"
WITH_EDGE = """
    mutation($i: CreatePostInput!) {
      createPost(input: $i) {
        feedEdge { cursor node { id text createdAt likeCount author { id username } } } userErrors { code }
      }
    }
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--kind", choices=[PLAIN, HASHTAG, MENTION], default=PLAIN)
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_measure(options))


async def _measure(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="tidings-bench-") as folder:
        async with running_live_system(Path(folder), environment={"TIDINGS_LIMITS": "off"}, roles=["serve"]) as system:
            connection = await asyncpg.connect(system.urls.database_url)
            await connection.execute(_PEOPLE_SQL, PEOPLE)
            await connection.execute(_FOLLOWS_SQL, PEOPLE)
            await connection.execute("VACUUM ANALYZE")
            postmaster = _parent_of(connection.get_server_pid())
            rows = [
                await _over_http(system, postmaster, options, "HTTP: post", POST_ALONE),
                await _over_http(system, postmaster, options, "HTTP: feedEdge", WITH_EDGE),
            ]
            rows.append(await _alone(system, connection, postmaster, options))
            print(f"{options.kind} texts, {options.connections} at a time, load of the machine {os.getloadavg()[0]:.1f}")
            print_table(
                ["", "posts/s", "p50 ms", "p99 ms", "max ms", "API CPU µs", "PostgreSQL µs", "client µs"],
                [r.cells() for r in rows],
            )
            posts, seconds = await _drain(system, connection)
            print(f"drained: {posts:,} posts to {FOLLOWERS} followers each in {seconds:.1f} s ({posts / seconds:,.0f}/s)")
            await connection.close()


@dataclass(frozen=True, slots=True)
class _Cost:
    """CPU seconds; `api` is this process where there is no API."""

    name: str
    latencies: list[float]
    seconds: float
    api: float
    postgres: float
    client: float | None

    def cells(self) -> list[str]:
        count = len(self.latencies)
        client = f"{self.client / count * 1e6:,.0f}" if self.client is not None else ""
        return [
            self.name,
            f"{count / self.seconds:,.0f}",
            *spread(self.latencies),
            f"{self.api / count * 1e6:,.0f}",
            f"{self.postgres / count * 1e6:,.0f}",
            client,
        ]


async def _over_http(system: LiveSystem, postmaster: int, options: argparse.Namespace, name: str, query: str) -> _Cost:
    wish = {
        "port": system.port,
        "tokens": [token_of(f"p{number}") for number in range(1, PEOPLE + 1)],
        "kind": options.kind,
        "query": query,
        "connections": options.connections,
    }
    # Not counted: connections are opened, statements prepared, tokens and documents seen.
    await _run_client(wish | {"seconds": _WARM_SECONDS})
    api, postgres = cpu_seconds(system.api_pid), family_cpu_seconds(postmaster)
    answer = await _run_client(wish | {"seconds": options.seconds})
    return _Cost(
        name,
        answer["latencies"],
        answer["seconds"],
        cpu_seconds(system.api_pid) - api,
        family_cpu_seconds(postmaster) - postgres,
        answer["cpu_seconds"],
    )


async def _run_client(wish: dict[str, object]) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.create_post_client", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    output, _ = await process.communicate(json.dumps(wish).encode())
    assert process.returncode == 0, "the client failed"
    answer: dict[str, Any] = json.loads(output)
    return answer


async def _alone(system: LiveSystem, connection: asyncpg.Connection, postmaster: int, options: argparse.Namespace) -> _Cost:
    urls = system.urls
    settings = Settings(
        database_url=SecretStr(urls.database_url),
        redis_url=SecretStr(urls.redis_url),
        broker_url=SecretStr(urls.broker_url),
        limits="off",
    )
    authors = [row[0] for row in await connection.fetch("SELECT id FROM users")]
    async with open_backends(settings) as backends:

        async def write(number: int, seconds: float, latencies: list[float]) -> None:
            chance, stop_at = random.Random(number), time.monotonic() + seconds
            while (began := time.monotonic()) < stop_at:
                await publish_post(
                    backends,
                    author_id=chance.choice(authors),
                    body=make_text(chance, options.kind),
                    visibility=Visibility.PUBLIC,
                    location=None,
                )
                latencies.append(time.monotonic() - began)

        async def write_all(seconds: float) -> list[float]:
            latencies: list[float] = []
            await asyncio.gather(*(write(number, seconds, latencies) for number in range(options.connections)))
            return latencies

        await write_all(_WARM_SECONDS / 2)
        own, postgres, began = time.process_time(), family_cpu_seconds(postmaster), time.monotonic()
        latencies = await write_all(options.seconds)
        seconds = time.monotonic() - began
        return _Cost(
            "use case alone", latencies, seconds, time.process_time() - own, family_cpu_seconds(postmaster) - postgres, None
        )


async def _drain(system: LiveSystem, connection: asyncpg.Connection) -> tuple[int, float]:
    """Starts relay and worker: how many posts waited, and the seconds until none did."""
    waiting = "SELECT count(*) FROM outbox WHERE closed_at IS NULL"
    posts, began = await connection.fetchval(waiting), time.monotonic()
    system.start("relay")
    system.start("worker 1")
    while await connection.fetchval(waiting):
        assert time.monotonic() - began < _DRAINED_SECONDS, "something stays open"
        await asyncio.sleep(0.1)
    return posts, time.monotonic() - began


def _parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


if __name__ == "__main__":
    main()
