"""The long form of the random walks: `python -m tests.stories.long_run --runs 5000 --processes 2`.

Each process starts servers of its own and takes batches of walks, one seed a batch. A difference is printed with the shortest
walk that hypothesis finds to it, and its batch ends there; the others go on. The last line says how many walks and steps were
taken and how many differences met; the exit status is 1 where there was one. A batch is taken again, alone, with
`--first SEED --runs 50`. `--plant NAME` plants a mistake of `planted_bugs.py` first: then finding it is what is hoped for.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis.internal.conjecture import engine
from pydantic import SecretStr

from app.stack.servers import EmbeddedServers
from migrations.run import upgrade
from settings import Settings
from tests.stories.feed_walk import FeedMachine, open_ground, take_walks
from tests.stories.planted_bugs import BY_NAME
from tests.world import World

BATCH = 50
"""Walks a seed."""


@dataclass(frozen=True, slots=True)
class Order:
    """What one process does: the batches whose number leaves `share` when divided by `shares`."""

    first: int
    runs: int
    steps: int
    share: int
    shares: int
    stop_at: float
    shorten_seconds: int
    plant: str

    def batches(self) -> list[tuple[int, int]]:
        """(seed, walks)"""
        sizes = [min(BATCH, self.runs - done) for done in range(0, self.runs, BATCH)]
        return [(self.first + number, size) for number, size in enumerate(sizes) if number % self.shares == self.share]


@dataclass(frozen=True, slots=True)
class Tally:
    """What was done. `walks` leaves out those that only shortened a difference."""

    walks: int = 0
    steps: int = 0
    differences: int = 0

    def plus(self, other: Tally) -> Tally:
        return Tally(self.walks + other.walks, self.steps + other.steps, self.differences + other.differences)


def _take_batch(order: Order, seed_number: int, size: int) -> Tally:
    progress = FeedMachine.progress
    progress.restart()
    engine.MAX_SHRINKING_SECONDS = order.shorten_seconds
    try:
        take_walks(seed_number=seed_number, walks=size, steps=order.steps)
    except Exception as error:
        print(f"seed {seed_number}, walk {progress.walks_to_failure}: a difference", flush=True)
        parts = error.exceptions if isinstance(error, BaseExceptionGroup) else [error]
        for part in parts:
            print("".join(traceback.format_exception_only(part)), flush=True)
        return Tally(progress.walks_to_failure, progress.steps_to_failure, 1)
    return Tally(progress.walks, progress.steps)


def _work(order: Order) -> Tally:
    """One process, with servers of its own."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedServers(Path(folder), broker=False, durable=False) as servers:
        asyncio.run(upgrade(servers.urls.database_url))
        settings = Settings(
            database_url=SecretStr(servers.urls.database_url),
            redis_url=SecretStr(servers.urls.redis_url),
            database_pool_size=5,
            redis_timeout_seconds=5.0,
            database_timeout_seconds=30.0,
        )
        total, began = Tally(), time.monotonic()
        with open_ground(settings), pytest.MonkeyPatch.context() as patch:
            if order.plant:
                BY_NAME[order.plant](patch, World(FeedMachine.ground.backends))
            for seed_number, size in order.batches():
                if time.monotonic() >= order.stop_at:
                    break
                total = total.plus(_take_batch(order, seed_number, size))
                rate = total.walks / (time.monotonic() - began) * 60
                print(f"{order.share}: {total.walks} walks, {total.differences} differences, {rate:.0f} a minute", flush=True)
        return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5_000)
    parser.add_argument("--first", type=int, default=1_000, help="the first seed")
    parser.add_argument("--steps", type=int, default=45, help="steps of a walk")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=1_000.0, help="begin no batch after so long")
    parser.add_argument("--shorten", type=int, default=60, help="seconds to look for a shorter walk to a difference")
    parser.add_argument("--plant", choices=sorted(BY_NAME), default="", help="a mistake to plant first")
    options = parser.parse_args()
    stop_at = time.monotonic() + options.minutes * 60
    orders = [
        Order(options.first, options.runs, options.steps, share, options.processes, stop_at, options.shorten, options.plant)
        for share in range(options.processes)
    ]
    # Servers are stopped from a process's main thread, so each has a process; forked ones would share sockets.
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        tallies = pool.map(_work, orders, chunksize=1)
    total = Tally()
    for tally in tallies:
        total = total.plus(tally)
    print(f"runs: {total.walks}, steps: {total.steps}, differences: {total.differences}")
    sys.exit(1 if total.differences else 0)


if __name__ == "__main__":
    main()
