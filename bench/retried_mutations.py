"""One effect each, whatever gets lost: `python -m bench.retried_mutations [--count 50000] [--clients 16]`.

Two API processes on one PostgreSQL. Every mutation (createPost, sharePost with words, addComment) has a key of its own and is
sent until it is answered. On the way to the API requests and replies get lost; so do replies of PostgreSQL, those to COMMIT
among them; one API process is killed every few seconds; some requests are sent twice at the same time, to either process; some
that were answered are sent once more. At the end PostgreSQL is asked how often each text is there. Ends with status 1 unless
it is once each, under the id that every answer named.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from app.stack.postgres import EmbeddedPostgres
from bench.dropping_proxy import DroppingProxy, Losses
from bench.live.system import LiveSystem, running_live_system
from bench.retrying_clients import MutationKind, Outcome, Retries, known_kinds
from bench.table import print_table
from bench.written_once import count_effects
from migrations.run import upgrade

_TO_API = Losses(requests=0.04, replies=0.08)
_TO_POSTGRES = Losses(replies=0.0005, spared=20)
"""So that about one mutation in a hundred meets it."""
_LOG_SHOWN = 6_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--kill-seconds", type=float, default=15.0, help="from one kill of an API process to the next")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tidings-once-") as folder:
        is_exact = asyncio.run(
            measure(Path(folder), options.count, options.clients, kill_seconds=options.kill_seconds, seed=options.seed)
        )
    print("passed" if is_exact else "FAILED")
    sys.exit(not is_exact)


async def measure(folder: Path, count: int, clients: int, *, kill_seconds: float, seed: int) -> bool:
    """Prints the figures; whether every mutation had one effect."""
    postgres = EmbeddedPostgres(folder / "truth", durable=False)
    postgres.start()
    try:
        await upgrade(postgres.url)
        async with AsyncExitStack() as stack:
            to_postgres = await stack.enter_async_context(DroppingProxy(postgres.url, _TO_POSTGRES, seed=seed).running())
            system = await stack.enter_async_context(
                running_live_system(
                    folder / "system",
                    environment={"TIDINGS_LIMITS": "off", "TIDINGS_LOG_LEVEL": "error"},
                    database_url=to_postgres.url,
                    roles=("serve", "poster"),
                )
            )
            kinds = known_kinds()
            retries = Retries(count, clients, kinds, seed=seed)
            await retries.prepare(system.address)
            ways = [
                await stack.enter_async_context(DroppingProxy(address, _TO_API, seed=seed + number).running())
                for number, address in enumerate((system.address, system.poster_address), 1)
            ]
            kills: list[int] = []
            killing = asyncio.create_task(_kill(system, kill_seconds, kills))
            began = time.perf_counter()
            try:
                outcome = await retries.run([way.port for way in ways])
            except BaseException:
                sys.stderr.write(system.log_text[-_LOG_SHOWN:])
                raise
            finally:
                killing.cancel()
                with suppress(asyncio.CancelledError):
                    await killing
            seconds = time.perf_counter() - began
        # Whatever was sent twice has ended with its process.
        effects = await count_effects(postgres.url, outcome.answers)
    finally:
        postgres.stop()
    _print_figures(kinds, outcome, seconds, system)
    losses = {
        "requests lost on the way to the API": sum(way.lost_requests for way in ways),
        "replies of the API lost": sum(way.lost_replies for way in ways),
        "replies of PostgreSQL lost": to_postgres.lost_replies,
        "API processes killed": len(kills),
        "sent twice at once": outcome.doubled,
        "answered, and sent once more": outcome.repeated,
        "no answer, sent again": outcome.unanswered,
        "IDEMPOTENCY_CONFLICT": outcome.conflicts,
        "UNAVAILABLE": outcome.unavailable,
        "answers that name another id than the first": outcome.contradictions,
    }
    print_table(["", "times"], [[name, f"{number:,}"] for name, number in losses.items()])
    print_table(["effects", "mutations"], [[name, f"{number:,}"] for name, number in effects.items()])
    return effects["once, as answered"] == count and outcome.contradictions == 0


def _print_figures(kinds: list[MutationKind], outcome: Outcome, seconds: float, system: LiveSystem) -> None:
    count, fields = len(outcome.answers), ", ".join(kind.field for kind in kinds)
    print(
        f"{count:,} mutations ({fields}) in {seconds:.0f} s, {count / seconds:,.0f}/s; {outcome.requests:,} requests; ", end=""
    )
    print(f"load {os.getloadavg()[0]:.1f}; tracebacks in the log: {system.log_text.count('Traceback (')}")


async def _kill(system: LiveSystem, every_seconds: float, killed: list[int]) -> None:
    while True:
        await asyncio.sleep(every_seconds)
        killed.append(system.api_pid)
        os.kill(system.api_pid, signal.SIGKILL)
        await system.wait_until_ready()


if __name__ == "__main__":
    main()
