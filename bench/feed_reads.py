"""Warm home feeds read as fast as one API process answers: `python -m bench.feed_reads [--seconds 20] [--connections 32]`.

A closed loop: each of the kept connections sends its next request when it has its answer. The query is that of a feed's first
screen (20 entries with their authors), each time for another account of congress2016.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import asyncpg

from bench.system import CONGRESS, RunningSystem, running_system, token_of
from bench.table import percentile, print_table
from services.importing.import_files import import_files

_QUERY = (
    "query($n: Int, $after: String) { feed(first: $n, after: $after) { edges { cursor node { id text createdAt likeCount "
    "commentCount author { id username displayName avatarUrl } } } pageInfo { hasNextPage endCursor } } }"
)
_PAGE_SIZE = 20
_BUILDERS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    with running_system() as system:
        asyncio.run(measure(system, seconds=options.seconds, connections=options.connections))


async def measure(system: RunningSystem, *, seconds: float, connections: int) -> None:
    await import_files(system.urls.database_url, CONGRESS, celebrity_threshold=200, strict=True)
    connection = await asyncpg.connect(system.urls.database_url)
    accounts = [row[0] for row in await connection.fetch("SELECT external_id FROM users ORDER BY id")]
    await connection.close()
    body = json.dumps({"query": _QUERY, "variables": {"n": _PAGE_SIZE}}).encode()
    requests = [feed_request(body, token_of(account)) for account in accounts]
    # Every account once, few at a time, since building is what takes long: now the timelines are warm.
    await _load(system.address, iter(requests), _BUILDERS, until=math.inf)
    chance = random.Random(1)
    began = time.perf_counter()
    endless = iter(lambda: chance.choice(requests), None)
    latencies, size, failures = await _load(system.address, endless, connections, until=began + seconds)
    took = time.perf_counter() - began
    print(f"{len(latencies)} pages of {_PAGE_SIZE} over {connections} connections, {size / len(latencies):,.0f} bytes each")
    print_table(
        ["", "req/s", "p50 ms", "p99 ms", "UNAVAILABLE"],
        [
            [
                "warm feed",
                f"{len(latencies) / took:,.0f}",
                f"{percentile(latencies, 0.5) * 1_000:.1f}",
                f"{percentile(latencies, 0.99) * 1_000:.1f}",
                f"{failures:,}",
            ]
        ],
    )


def feed_request(body: bytes, token: str) -> bytes:
    """A whole GraphQL request, ready to be written."""
    head = f"POST /graphql HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _load(address: str, requests: Iterator[bytes], connections: int, *, until: float) -> tuple[list[float], int, int]:
    """Seconds of each request, bytes of all bodies, number of UNAVAILABLE; until the requests or the time run out."""
    latencies: list[float] = []
    size = failures = 0

    async def one() -> None:
        nonlocal size, failures
        reader, writer = await asyncio.open_connection(urlsplit(address).hostname, urlsplit(address).port)
        while time.perf_counter() < until and (request := next(requests, None)) is not None:
            began = time.perf_counter()
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            body = await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
            latencies.append(time.perf_counter() - began)
            size += len(body)
            if not head.startswith(b"http/1.1 200") or b'"errors"' in body:
                assert b'"UNAVAILABLE"' in body, body
                failures += 1
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(one() for _ in range(connections)))
    return latencies, size, failures


if __name__ == "__main__":
    main()
