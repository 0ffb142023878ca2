"""The matrix, whole: `python -m tests.matrix --whole --processes 2`; without `--whole` its short form.

Each process starts servers of its own and takes every second part. A leak is printed with who read it, where, and when. The
last line says how many checks there were and how many leaks; the exit status is 1 where there was one. `--only NAME`: one part.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from app.stack.servers import EmbeddedServers
from migrations.run import upgrade
from settings import Settings
from tests.matrix.findings import Tally
from tests.matrix.run import SHORT, whole
from tests.matrix.stage import Stage

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Order:
    """What one process does: the parts whose number leaves `share` when divided by `shares`."""

    is_whole: bool
    only: str
    share: int
    shares: int


async def _take(settings: Settings, order: Order) -> Tally:
    total = Tally()
    async with Stage.open(settings) as stage:
        parts = list(whole()) if order.is_whole else list(SHORT.items())
        for number, (name, part) in enumerate(parts):
            if number % order.shares != order.share or (order.only and name != order.only):
                continue
            began = time.monotonic()
            tally = await part(stage)
            seconds = time.monotonic() - began
            print(f"{name}: {tally.checks} checks, {len(tally.leaks)} leaks, {seconds:.1f} s", flush=True)
            for leak in tally.leaks[:_SHOWN]:
                print(f"  LEAK {leak}", flush=True)
            total.add(tally)
    return total


def _work(order: Order) -> Tally:
    with tempfile.TemporaryDirectory() as folder, EmbeddedServers(Path(folder), broker=False, durable=False) as servers:
        asyncio.run(upgrade(servers.urls.database_url))
        return asyncio.run(_take(matrix_settings(servers.urls.database_url, servers.urls.redis_url), order))


def matrix_settings(database_url: str, redis_url: str) -> Settings:
    """Patient ones: a proof about answers must not fail for being slow, nor for asking much."""
    return Settings(
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        database_pool_size=5,
        redis_timeout_seconds=5.0,
        database_timeout_seconds=30.0,
        limits="off",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--only", default="", help="the name of one part")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    orders = [Order(options.whole, options.only, share, options.processes) for share in range(options.processes)]
    # Servers are stopped from a process's main thread, so each has a process; forked ones would share sockets.
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        tallies = pool.map(_work, orders, chunksize=1)
    total = Tally()
    for tally in tallies:
        total.add(tally)
    print(
        f"checks: {total.checks} (of them numbers and lists: {total.compared}), answers: {total.answers}, "
        f"places: {len(total.places)}, visible things met: {total.seen}, leaks: {len(total.leaks)}"
    )
    sys.exit(1 if total.leaks else 0)
