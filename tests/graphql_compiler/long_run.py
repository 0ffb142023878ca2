"""The long form of the comparison: `python -m tests.graphql_compiler.long_run --runs 100000 --processes 2`.

Each process takes schemas, one seed each, with 80 operations over it. `--ours N` takes N queries over our own schema besides,
over a small world on servers of their own. A difference is printed with its seed and the operation, and the schema's run ends
there; the others go on. The last line says how many operations there were, how many had errors, how many batches the compiler
spared, how many parts of records were kept, and how many differences there were; the exit status is 1 where there was one. A
schema is taken again with `--first SEED --runs 80`.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

from pydantic import SecretStr

from app.stack.servers import EmbeddedServers
from bootstrap import open_backends
from migrations.run import upgrade
from settings import Settings
from tests.graphql_compiler.our_runs import run_ours, settle
from tests.graphql_compiler.random_runs import OPERATIONS, Tally, run_schema
from tests.world import World


async def _take(seeds: list[int]) -> tuple[Tally, int]:
    total, differences, began = Tally(), 0, time.monotonic()
    for done, seed in enumerate(seeds, 1):
        try:
            total.add(await run_schema(seed))
        except Exception as failure:
            differences += 1
            _tell(failure)
        if done % 50 == 0:
            rate = total.operations / (time.monotonic() - began)
            print(f"{total.operations} operations, {differences} differences, {rate:.0f} a second", flush=True)
    return total, differences


def _work(seeds: list[int]) -> tuple[Tally, int]:
    # Coroutines that graphql-core leaves behind; the compiler's own are looked for in `test_cancellation.py`.
    warnings.simplefilter("ignore", RuntimeWarning)
    return asyncio.run(_take(seeds))


async def _take_ours(settings: Settings, first: int, count: int) -> tuple[Tally, int]:
    total, differences = Tally(), 0
    async with open_backends(settings) as backends:
        world = World(backends)
        strings = await settle(world)
        for start in range(0, count, 50):
            try:
                total.add(await run_ours(world, strings, first + start, min(50, count - start)))
            except Exception as failure:
                differences += 1
                _tell(failure)
    return total, differences


def _over_ours(first: int, count: int) -> tuple[Tally, int]:
    warnings.simplefilter("ignore", RuntimeWarning)
    with tempfile.TemporaryDirectory() as folder, EmbeddedServers(Path(folder), broker=False, durable=False) as servers:
        asyncio.run(upgrade(servers.urls.database_url))
        settings = Settings(
            database_url=SecretStr(servers.urls.database_url),
            redis_url=SecretStr(servers.urls.redis_url),
            redis_timeout_seconds=5.0,
            database_timeout_seconds=30.0,
        )
        return asyncio.run(_take_ours(settings, first, count))


def _tell(failure: Exception) -> None:
    print("".join(traceback.format_exception_only(failure)), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100_000, help="operations over random schemas")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--ours", type=int, default=0, help="queries over our own schema")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    seeds = list(range(options.first, options.first + -(-options.runs // OPERATIONS)))
    shares = [seeds[share :: options.processes] for share in range(options.processes)]
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        results = pool.map(_work, shares, chunksize=1)
    if options.ours:
        results.append(_over_ours(options.first, options.ours))
    total = Tally()
    for tally, _ in results:
        total.add(tally)
    differences = sum(count for _, count in results)
    print(
        f"operations: {total.operations}, with errors: {total.with_errors}, data nulled: {total.nulled}, "
        f"batches: {total.batches} ({total.fewer_batches} fewer), kept: {total.kept}, differences: {differences}"
    )
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
