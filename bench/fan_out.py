"""How fast a post is delivered: `python -m bench.fan_out [--followers 50000] [--rounds 6]`.

The job itself, in this process, slice after slice, for an author who posts again and again; in turns with the followers read
from PostgreSQL each time and with the list in memory. Warm: all followers' timelines are in use and written to. Asleep: none
is, so that what is measured is finding the followers and asking Valkey.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import text

from app.stack.servers import EmbeddedServers
from bench.table import percentile, print_table
from bootstrap import open_backends
from cache import keys
from db import outbox
from db.feed_candidates import load_feed_viewer
from domain.ids import SHARD_MASK
from migrations.run import upgrade
from services.backends import Backends
from services.fan_out.audiences import Audiences
from services.fan_out.deliver_event import Outcome, deliver_event
from settings import Settings

_FIRST = 1_000_000
_AUTHOR = 1
_PER_PIPELINE = 1_000
_LEASE_SECONDS = 60.0
_POST = text("INSERT INTO posts (id, author_id, text, created_at) VALUES (next_id(:shard), :author, 'x', now()) RETURNING id")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--followers", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=6)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, EmbeddedServers(Path(folder), broker=False, durable=False) as servers:
        asyncio.run(_main(servers, followers=options.followers, rounds=options.rounds))


async def _main(servers: EmbeddedServers, *, followers: int, rounds: int) -> None:
    await upgrade(servers.urls.database_url)
    settings = Settings(
        database_url=SecretStr(servers.urls.database_url),
        redis_url=SecretStr(servers.urls.redis_url),
        celebrity_threshold=10 * followers,
        fanout_writes_per_second=1e9,
    )
    async with open_backends(settings, is_background=True) as backends:
        await _make_world(backends, followers)
        ways = {"from PostgreSQL": replace(backends, audiences=Audiences(0)), "from memory": backends}
        rates: dict[tuple[str, str], list[float]] = {}
        for state in ("asleep", "warm"):
            if state == "warm":
                await _wake(backends, followers)
            for number in range(rounds + 2):
                for way, chosen in ways.items():
                    took = await _deliver_one(chosen, followers if state == "warm" else 0)
                    if number >= 2:  # the second post loads the list
                        rates.setdefault((state, way), []).append(followers / took)
    middle = {key: percentile(values, 0.5) for key, values in rates.items()}
    print(f"{followers:,} followers, {rounds} posts each, load of the machine {os.getloadavg()[0]:.1f}")
    print_table(
        ["followers a second", *ways, "ratio"],
        [
            [
                state,
                *(f"{middle[state, way]:,.0f}" for way in ways),
                f"{middle[state, 'from memory'] / middle[state, 'from PostgreSQL']:.2f}",
            ]
            for state in ("asleep", "warm")
        ],
    )


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


async def _wake(backends: Backends, followers: int) -> None:
    async with backends.database.reading() as session:
        viewer = await load_feed_viewer(session, _FIRST)
    assert viewer is not None
    marker = f"r:{backends.redis.run_id}:{viewer.timeline_version.database}:{viewer.graph_version}:w"
    for start in range(0, followers, _PER_PIPELINE):
        pipeline = backends.redis.redis.pipeline(transaction=False)
        for viewer_id in range(_FIRST + start, _FIRST + min(followers, start + _PER_PIPELINE)):
            pipeline.zadd(keys.timeline(viewer_id), {marker: float("-inf")})
        await pipeline.execute()


async def _deliver_one(backends: Backends, expected: int) -> float:
    """Seconds from taking the post up to its closing."""
    async with backends.database.writing() as session:
        post = text(
            "INSERT INTO posts (id, author_id, text, created_at) VALUES (next_id(:shard), :author, 'x', now()) RETURNING id"
        )
        parameters = {"shard": _AUTHOR & SHARD_MASK, "author": _AUTHOR}
        post_id = (await session.execute(post, parameters)).scalar_one()
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


if __name__ == "__main__":
    main()
