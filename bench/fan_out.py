"""How fast a post is delivered: `python -m bench.fan_out [--followers 20000] [--rounds 6] [--batch 100]`.

The job itself, in this process, slice after slice, for an author who posts again and again; in turns with the followers read
from PostgreSQL each time, with the list in memory, and with Valkey alone: the same writes to the same timelines by a script
without marker, log and progress, from bytes that were packed beforehand. Full: all followers' timelines are in use, have 500
entries and are written to and trimmed. Asleep: none is, so that what is measured is finding the followers and asking Valkey.
By its CPU: the same ratio where Valkey never has to wait, for a machine with more to do than this.

Then pages of these timelines are read by another process, with and without a fan-out beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import uvloop
from pydantic import SecretStr
from sqlalchemy import text

from app.stack.servers import EmbeddedServers
from bench.bare_fan_out import BareFanOut
from bench.live.process_figures import cpu_microseconds
from bench.table import percentile, print_table
from bootstrap import open_backends
from cache import keys
from cache.timelines import member_of, score_of
from db import outbox
from db.feed_candidates import load_feed_viewer
from domain.ids import SHARD_MASK, make_id
from migrations.run import upgrade
from services.backends import Backends
from services.fan_out.audiences import Audiences
from services.fan_out.deliver_event import Outcome, deliver_event
from settings import Settings

_FIRST = 1_000_000
_AUTHOR = 1
_LEASE_SECONDS = 60.0
_READ_SECONDS = 3.0
BARE = "Valkey alone"
_POST = text("INSERT INTO posts (id, author_id, text, created_at) VALUES (next_id(:shard), :author, 'x', now()) RETURNING id")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--followers", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--batch", type=int, default=Settings().fanout_cache_batch, help="timelines in one script")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, EmbeddedServers(Path(folder), broker=False, durable=False) as servers:
        asyncio.run(upgrade(servers.urls.database_url))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_main(servers, options))


async def _main(servers: EmbeddedServers, options: argparse.Namespace) -> None:
    followers = options.followers
    settings = Settings(
        database_url=SecretStr(servers.urls.database_url),
        redis_url=SecretStr(servers.urls.redis_url),
        celebrity_threshold=10 * followers,
        fanout_writes_per_second=1e9,
        fanout_cache_batch=options.batch,
    )
    async with open_backends(settings, is_background=True) as backends:
        await _make_world(backends, followers)
        print(f"{followers:,} followers, batches of {options.batch}, load of the machine {os.getloadavg()[0]:.1f}")
        bench = _Bench(backends, servers, followers, options)
        await bench.measure("asleep", 0, bare=False)
        await _fill(backends, followers, settings.feed_cap)
        await bench.measure("full", followers, bare=True)
        bench.print()
        await _print_memory(backends)
        await _measure_reads(servers, backends, followers)


class _Bench:
    """Rates, and microseconds of CPU a follower, of each way in each round."""

    def __init__(self, backends: Backends, servers: EmbeddedServers, followers: int, options: argparse.Namespace) -> None:
        self._ways = {"from PostgreSQL": replace(backends, audiences=Audiences(0)), "from memory": backends}
        self._backends = backends
        self._valkey = servers.pids["feeds"]
        self._followers = followers
        self._rounds = options.rounds
        self._bare = BareFanOut(servers.urls.redis_url, cap=backends.timelines.cap, batch=options.batch)
        self._found: defaultdict[tuple[str, str], list[tuple[float, float, float]]] = defaultdict(list)

    async def measure(self, state: str, expected: int, *, bare: bool) -> None:
        viewers = range(_FIRST, _FIRST + self._followers)
        for number in range(self._rounds + 2):
            for way in [*self._ways, *([BARE] if bare else [])]:
                own, valkey = time.process_time(), cpu_microseconds(self._valkey)
                if way == BARE:
                    took = self._bare.deliver(viewers, await _make_post(self._backends))
                else:
                    took = await _deliver_one(self._ways[way], expected)
                own, valkey = (time.process_time() - own) * 1e6, cpu_microseconds(self._valkey) - valkey
                if number >= 2:  # the second post loads the list
                    self._found[state, way].append((self._followers / took, own / self._followers, valkey / self._followers))

    def print(self) -> None:
        rows = []
        for (state, way), found in self._found.items():
            bare = self._found.get((state, BARE), []) if way != BARE else []
            shares = [one[0] / other[0] for one, other in zip(found, bare, strict=False)]
            busy = [other[2] / one[2] for one, other in zip(found, bare, strict=False)]
            own = "" if way == BARE else f"{percentile([one[1] for one in found], 0.5):.2f}"
            valkey = f"{percentile([one[2] for one in found], 0.5):.2f}"
            ratios = [f"{percentile(values, 0.5):.2f}" if values else "" for values in (shares, busy)]
            rows.append([f"{state}, {way}", f"{percentile([one[0] for one in found], 0.5):,.0f}", *ratios, own, valkey])
        print_table(["", "followers/s", f"of {BARE}", "by its CPU", "worker CPU µs", "Valkey CPU µs"], rows)


async def _make_world(backends: Backends, followers: int) -> None:
    users = "INSERT INTO users (id, external_id, username, follower_count) "
    for statement in (
        f"{users} VALUES ({_AUTHOR}, 'a', 'a', {followers}), ({_FIRST}, 'v', 'v', 0)",
        f"INSERT INTO follows (follower_id, followee_id) "
        f"SELECT n, {_AUTHOR} FROM generate_series({_FIRST}, {_FIRST + followers - 1}) n",
    ):
        async with backends.database.writing() as session:
            await session.execute(text(statement))
    async with backends.database.reading() as session:
        await session.execute(text("VACUUM ANALYZE"))


async def _fill(backends: Backends, followers: int, entries: int) -> None:
    """Makes all timelines warm and full: posts of the last days, each viewer's own."""
    async with backends.database.reading() as session:
        viewer = await load_feed_viewer(session, _FIRST)
    assert viewer is not None
    await backends.redis.call("PING")  # the marker names the server's run
    marker = f"r:{backends.redis.run_id}:{viewer.timeline_version.database}:{viewer.graph_version}:c"
    now = int(time.time() * 1_000)
    posts = [make_id(milliseconds=now - 1_000 * number, sequence=number % 4_096, shard=7) for number in range(1, entries + 1)]
    members: dict[str, float] = {marker: float("-inf"), **{member_of(post): score_of(post) for post in posts}}
    redis = backends.redis
    await redis.call("ZADD", keys.timeline(_FIRST), *(part for member, score in members.items() for part in (score, member)))
    for viewer_id in range(_FIRST + 1, _FIRST + followers):
        await redis.call("COPY", keys.timeline(_FIRST), keys.timeline(viewer_id))
    # As it is a minute after the first cut: see cache/scripts/floors.lua.
    await redis.call("SET", keys.NEWEST_TIMELINE_FLOOR, member_of(posts[-1]))


async def _make_post(backends: Backends) -> int:
    parameters = {"shard": _AUTHOR & SHARD_MASK, "author": _AUTHOR}
    async with backends.database.writing() as session:
        return int((await session.execute(_POST, parameters)).scalar_one())


async def _deliver_one(backends: Backends, expected: int) -> float:
    """Seconds from taking the post up to its closing."""
    post_id = await _make_post(backends)
    async with backends.database.writing() as session:
        await outbox.insert_event(session, outbox.OutboxKind.POST_PUBLISHED, author_id=_AUTHOR, post_id=post_id)
    async with backends.database.writing() as session:
        (event,) = await outbox.lease_due_events(session, size=1, lease_seconds=_LEASE_SECONDS)
    began, written, outcome = time.perf_counter(), 0, Outcome.CONTINUES
    while outcome is Outcome.CONTINUES:
        report = await deliver_event(backends, event_id=event.id, attempt=event.attempt)
        outcome, written = report.outcome, written + report.timelines_written
    took = time.perf_counter() - began
    assert (outcome, written) == (Outcome.DONE, expected)
    return took


async def _print_memory(backends: Backends) -> None:
    redis, key = backends.redis.redis, keys.timeline(_FIRST)
    entries, taken = await redis.zcard(key), await redis.memory_usage(key, samples=0)
    encoding = (await redis.execute_command("OBJECT", "ENCODING", key)).decode()  # type: ignore[no-untyped-call]
    print(f"a timeline of {entries - 1} entries and its marker: {taken:,} bytes ({encoding})")


async def _measure_reads(servers: EmbeddedServers, backends: Backends, followers: int) -> None:
    async with backends.database.reading() as session:
        viewer = await load_feed_viewer(session, _FIRST)
    assert viewer is not None
    version = viewer.timeline_version
    wish = {
        "url": servers.urls.redis_url,
        "first": _FIRST,
        "count": followers,
        "database": version.database,
        "graph": version.graph,
        "seconds": _READ_SECONDS,
    }
    quiet, busy, delivered = [], [], []
    for _ in range(3):
        quiet.append(await _read(wish))
        reading = asyncio.create_task(_read(wish))
        while not reading.done():
            delivered.append(followers / await _deliver_one(backends, followers))
        busy.append(await reading)
    share = percentile([with_fan_out / alone for with_fan_out, alone in zip(busy, quiet, strict=True)], 0.5)
    print(
        f"pages of 20 read beside it: {percentile(quiet, 0.5):,.0f}/s alone, {percentile(busy, 0.5):,.0f}/s with a fan-out of"
        f" {percentile(delivered, 0.5):,.0f} followers/s: {share:.2f}"
    )


async def _read(wish: dict[str, object]) -> float:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.timeline_reads", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    output, _ = await process.communicate(json.dumps(wish).encode())
    assert process.returncode == 0, "the reader failed"
    answer = json.loads(output)
    assert answer["warm"] == 1.0, answer
    return float(answer["rate"])


if __name__ == "__main__":
    main()
