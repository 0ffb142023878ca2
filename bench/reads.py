"""Reads of every kind: what each costs the API compiled, on graphql-core, and in plain Strawberry.

`python -m bench.reads [--world DIR] [--seconds 0.3] [--rounds 3] [--only NAME …]`: one process, one schema, the same resolvers
and servers. Processor time of this process per operation, without HTTP and authentication: parsing and validating (plain
Strawberry does it each time, the others look it up), executing, reading from PostgreSQL and Valkey, writing JSON; and the
interpreter's instructions for one, which do not depend on what else the machine does. First the answers are compared.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, cast

import orjson
import uvloop

from app.stack.servers import EmbeddedServers
from bench.feed.kept_world import kept_world, settings_of
from bench.feed.world_shape import DEFAULT, SMALL
from bench.instructions import counted_instructions
from bench.table import print_table
from bench.typical_reads.prepare import prepare
from bench.typical_reads.queries import READS, Known, Read
from bench.typical_reads.ways import Way, make_ways
from bootstrap import open_backends
from domain.records import UserRecord
from resolvers.context import OperationContext
from services.accounts.find_people import load_visible_users
from services.backends import Backends

_AT_A_TIME = 8
"""Operations under way together, as in a process that serves several."""
_COMPARED = 10
_COUNTED = 5
_LONGEST_SECONDS = 10.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world", type=Path, help="folder that keeps the world; left out: a temporary one")
    parser.add_argument("--default", action="store_const", dest="size", const=DEFAULT, default=SMALL, help="the larger world")
    parser.add_argument("--seconds", type=float, default=0.3, help="of processor time of each block")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", metavar="NAME")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="tidings-bench-") as folder,
        kept_world(options.world or Path(folder) / "world", options.size) as servers,
    ):
        uvloop.run(_measure(servers, options))


async def _measure(servers: EmbeddedServers, options: argparse.Namespace) -> None:
    # Deadlines of jobs: an answer that says UNAVAILABLE would pass for a cheap one.
    async with open_backends(settings_of(servers), is_background=True) as backends:
        known = await prepare(backends, servers.urls.database_url)
        people = await load_visible_users(backends, known.readers, viewer_id=None)
        bench = _Bench(backends, known, list(people.values()), options.seconds)
        reads = [read for read in READS if not options.only or read.name in options.only]
        rows = [await bench.measure(read, options.rounds) for read in reads]
    print(f"processor µs an operation, {_AT_A_TIME} at a time, load of the machine {os.getloadavg()[0]:.1f}")
    header = ["", "compiled", "graphql-core", "×", "Strawberry", "×", "instructions", "× graphql-core", "× Strawberry", "bytes"]
    print_table(header, rows)


class _Bench:
    def __init__(self, backends: Backends, known: Known, people: list[UserRecord], seconds: float) -> None:
        self._backends = backends
        self._known = known
        self._people = people
        self._seconds = seconds
        self._ways = make_ways()

    async def measure(self, read: Read, rounds: int) -> list[str]:
        """A line of the table. Raises RuntimeError where the ways disagree."""
        size = await self._compare(read)
        executed = {name: await self._executed(read, way) for name, way in self._ways.items()}
        costs: dict[str, list[float]] = defaultdict(list)
        for number in range(rounds):
            names = list(self._ways) if number % 2 == 0 else list(self._ways)[::-1]
            for name in names:
                costs[name].append(await self._block(read, self._ways[name], seed=number))
        compiled, core, strawberry = (median(costs[name]) * 1e6 for name in self._ways)
        line = [
            f"{compiled:,.0f}",
            f"{core:,.0f}",
            f"{core / compiled:.1f}",
            f"{strawberry:,.0f}",
            f"{strawberry / compiled:.1f}",
        ]
        compiled, core, strawberry = (executed[name] for name in self._ways)
        line += [f"{compiled:,.0f}", f"{core / compiled:.1f}", f"{strawberry / compiled:.1f}"]
        return [read.name, *line, f"{size:,}"]

    async def _executed(self, read: Read, way: Way) -> float:
        """Instructions of the interpreter for one operation alone: the median over some viewers and variables."""
        counts = []
        for number in range(_COUNTED):
            random = Random(number)
            person, variables = random.choice(self._people), read.variables(self._known, random)
            await way(read.query, variables, self._context(person))
            with counted_instructions() as found:
                await way(read.query, variables, self._context(person))
            counts.append(found.count)
        return median(counts)

    async def _compare(self, read: Read) -> int:
        random, size = Random(1), 0
        for person in self._people:
            # What a process remembers of a reader is made by the first read of theirs.
            await self._ways["compiled"](read.query, read.variables(self._known, random), self._context(person))
        for _ in range(_COMPARED):
            person, variables = random.choice(self._people), read.variables(self._known, random)
            answers = [orjson.loads(await way(read.query, variables, self._context(person))) for way in self._ways.values()]
            if "errors" in answers[0] or any(_steady(answer) != _steady(answers[0]) for answer in answers):
                shown = [orjson.dumps(answer).decode()[:1_500] for answer in answers]
                raise RuntimeError(f"{read.name}: the answers differ, or are errors:\n" + "\n".join(shown))
            size += len(orjson.dumps(answers[0]))
        return size // _COMPARED

    async def _block(self, read: Read, way: Way, *, seed: int) -> float:
        """Seconds of this process for one operation."""
        random, done = Random(seed), 0
        deadline, used = time.perf_counter() + _LONGEST_SECONDS, time.process_time()
        while time.process_time() - used < self._seconds and time.perf_counter() < deadline:
            drawn = [(random.choice(self._people), read.variables(self._known, random)) for _ in range(_AT_A_TIME)]
            answers = await asyncio.gather(*(way(read.query, variables, self._context(who)) for who, variables in drawn))
            if any(b'"errors"' in answer for answer in answers):
                raise RuntimeError(f"{read.name}: an answer has errors")
            done += _AT_A_TIME
        return (time.process_time() - used) / done

    def _context(self, person: UserRecord) -> OperationContext:
        # No read asks the hub for anything.
        return OperationContext(self._backends, cast("Any", None), person)


def _steady(answer: Any) -> Any:
    """Without what is another thing at each moment: when the page was made, and cursors that say so."""
    if isinstance(answer, dict):
        return {name: _steady(value) for name, value in answer.items() if name != "asOf" and "ursor" not in name}
    return [_steady(one) for one in answer] if isinstance(answer, list) else answer


if __name__ == "__main__":
    main()
