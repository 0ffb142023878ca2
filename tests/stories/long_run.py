"""The long form of the random walks: `python -m tests.stories.long_run --runs 5000 --first 0`.

Starts servers of its own, takes one walk a seed, prints every difference with a short walk that shows it, and ends with the
number of walks and of differences; the exit status is 1 where there was one.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from pydantic import SecretStr

from app.stack.servers import EmbeddedServers
from bootstrap import open_backends
from migrations.run import upgrade
from services.backends import Backends
from settings import Settings
from tests.stories.feed_walk import make_walk, shrink, take_walk


async def walk_many(backends: Backends, *, first: int, runs: int, length: int, seconds: float) -> tuple[int, int]:
    """(walks, differences); stops early when the time is over."""
    differences, taken, stop_at = 0, 0, time.monotonic() + seconds
    for seed in range(first, first + runs):
        if time.monotonic() >= stop_at:
            break
        steps = make_walk(seed, length=length)
        taken += 1
        difference = await take_walk(backends, steps)
        if difference is not None:
            differences += 1
            print(f"seed {seed}: {difference}", flush=True)

            async def fails(shorter: object) -> bool:
                return await take_walk(backends, shorter) is not None  # type: ignore[arg-type]

            shorter = await shrink(steps, fails)
            print("  shorter:", *shorter, sep="\n    ", flush=True)
            print(f"  which gives {await take_walk(backends, shorter)}", flush=True)
        if taken % 20 == 0:
            print(f"{taken} walks of {length} steps, {differences} differences", flush=True)
    return taken, differences


async def _main(servers: EmbeddedServers, options: argparse.Namespace) -> int:
    await upgrade(servers.urls.database_url)
    settings = Settings(
        database_url=SecretStr(servers.urls.database_url),
        redis_url=SecretStr(servers.urls.redis_url),
        database_pool_size=5,
        redis_timeout_seconds=2.0,
        database_timeout_seconds=10.0,
    )
    async with open_backends(settings) as backends:
        taken, differences = await walk_many(
            backends, first=options.first, runs=options.runs, length=options.length, seconds=options.minutes * 60
        )
    print(f"walks: {taken}, steps: {taken * options.length}, differences: {differences}")
    return 1 if differences else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--length", type=int, default=80, help="steps of a walk")
    parser.add_argument("--minutes", type=float, default=1_000.0, help="stop after so long")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, EmbeddedServers(Path(folder), broker=False, durable=False) as servers:
        sys.exit(asyncio.run(_main(servers, options)))


if __name__ == "__main__":
    main()
