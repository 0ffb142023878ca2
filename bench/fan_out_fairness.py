"""What a post to a million followers does to the delivery of small ones: `python -m bench.fan_out_fairness [--samples 1200]`.

Relay and worker are the real processes of `tidings dev`. Posts of accounts with 100 followers are written at a steady rate, in
turns alone and while a post to a million followers (pushed: the threshold is set above) is in flight. 50,000 of the million,
and all followers of the small accounts, have warm timelines. Delivery: from the commit to the closing of the outbox row, both
by the database's clock. Fails where the p99 grows to more than 1.5 times and by more than 25 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time

import asyncpg

from bench.system import RunningSystem, running_system
from bench.table import percentile, print_table
from bootstrap import open_backends
from cache import keys
from cache.timelines import member_of, score_of
from db.feed_candidates import load_feed_viewer
from domain.ids import SHARD_MASK, make_id
from services.backends import Backends

FOLLOWERS, WARM, SMALL_AUTHORS, SMALL_FOLLOWERS = 1_000_000, 50_000, 50, 100
FACTOR, MARGIN_SECONDS = 1.5, 0.025
_FIRST = 1_000_000
_LARGE = 1_000
_ENTRIES = 60
"""In a warm timeline."""
_PER_PIPELINE = 500
_DRAIN_SECONDS = 60.0
_TAKE_OFF_SECONDS = 0.5

_WORLD = f"""
INSERT INTO users (id, external_id, username, follower_count) SELECT {_FIRST} + n, 'v' || n, 'v' || n, 0
FROM generate_series(0, {WARM} - 1) AS n;
INSERT INTO users (id, external_id, username, follower_count) VALUES ({_LARGE}, 'large', 'large', {FOLLOWERS});
INSERT INTO users (id, external_id, username, follower_count) SELECT n, 'small' || n, 'small' || n, {SMALL_FOLLOWERS}
FROM generate_series(1, {SMALL_AUTHORS}) AS n;
INSERT INTO follows (follower_id, followee_id) SELECT {_FIRST} + n, {_LARGE} FROM generate_series(0, {FOLLOWERS} - 1) AS n;
INSERT INTO follows (follower_id, followee_id)
SELECT {_FIRST} + (author * 37 + n * 491) % {WARM}, author
FROM generate_series(1, {SMALL_AUTHORS}) AS author, generate_series(0, {SMALL_FOLLOWERS} - 1) AS n;
"""
_POST = f"""
WITH made AS (
  INSERT INTO posts (id, author_id, text, created_at)
  SELECT next_id($1 & {SHARD_MASK}), $1, 'Hello', now() RETURNING id, author_id
)
INSERT INTO outbox (kind, author_id, post_id) SELECT 'post_published', author_id, id FROM made RETURNING id
"""
_LAGS = """
SELECT extract(epoch FROM closed_at - created_at)::float8 FROM outbox WHERE id = ANY($1) AND closed_at IS NOT NULL
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=1_200)
    parser.add_argument("--rate", type=float, default=30.0, help="small posts a second")
    parser.add_argument("--rounds", type=int, default=4, help="turns with and without the large post")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    os.environ["TIDINGS_CELEBRITY_THRESHOLD"] = str(10 * FOLLOWERS)
    os.environ["TIDINGS_FANOUT_WRITES_PER_SECOND"] = str(10 * FOLLOWERS)
    with running_system(workers=options.workers) as system:
        sys.exit(asyncio.run(_measure(system, samples=options.samples, rate=options.rate, rounds=options.rounds)))


async def _measure(system: RunningSystem, *, samples: int, rate: float, rounds: int) -> int:
    connection = await asyncpg.connect(system.urls.database_url, command_timeout=300)
    await connection.execute(_WORLD)
    await connection.execute("VACUUM ANALYZE")
    async with open_backends(system.settings, is_background=True) as backends:
        await _warm(backends)
    await _post_steadily(system, samples=100, rate=rate)  # not counted: connections are opened, statements prepared
    alone, beside, large, loads = [], [], [], []
    for _ in range(rounds):
        alone += await _post_steadily(system, samples=-(-samples // rounds), rate=rate)
        loads.append(os.getloadavg()[0])
        stop = asyncio.Event()
        flying = asyncio.get_running_loop().create_task(_keep_large_in_flight(system, stop))
        await asyncio.sleep(_TAKE_OFF_SECONDS)
        beside += await _post_steadily(system, samples=-(-samples // rounds), rate=rate)
        stop.set()
        large += await flying
    await connection.close()
    rows = [["small posts alone", *_spread(alone)], ["beside a post to a million", *_spread(beside)]]
    rows.append(["the posts to a million themselves", *_spread(large)])
    print(f"{rate:g} small posts a second in {rounds} turns, load of the machine {min(loads):.1f} to {max(loads):.1f}")
    print_table(["delivery", "posts", "p50 ms", "p99 ms"], rows)
    before, after = percentile(alone, 0.99), percentile(beside, 0.99)
    is_fair = after <= max(FACTOR * before, before + MARGIN_SECONDS)
    print(f"p99 at most {FACTOR:g} times or {MARGIN_SECONDS * 1_000:g} ms more: {'reached' if is_fair else 'MISSED'}")
    return 0 if is_fair else 1


def _spread(values: list[float]) -> list[str]:
    return [f"{len(values):,}", *(f"{percentile(values, share) * 1_000:,.1f}" for share in (0.5, 0.99))]


async def _warm(backends: Backends) -> None:
    """Timelines as a rebuild would leave them, for the first of the followers."""
    async with backends.database.reading() as session:
        viewer = await load_feed_viewer(session, _FIRST)
    assert viewer is not None
    await backends.redis.redis.ping()
    now = time.time_ns() // 1_000_000
    posts = [make_id(milliseconds=now - 1_000 * n, sequence=n, shard=1) for n in range(1, _ENTRIES + 1)]
    entries: dict[str, float] = {member_of(post): score_of(post) for post in posts}
    marker = f"r:{backends.redis.run_id}:{viewer.timeline_version.database}:{viewer.graph_version}:w"
    for start in range(0, WARM, _PER_PIPELINE):
        pipeline = backends.redis.redis.pipeline(transaction=False)
        for viewer_id in range(_FIRST + start, _FIRST + start + _PER_PIPELINE):
            pipeline.zadd(keys.timeline(viewer_id), {marker: float("-inf"), **entries})
        await pipeline.execute()
    found = await backends.timelines.inspect(_FIRST)
    assert backends.timelines.is_current(found.marker, viewer.timeline_version)


async def _post_steadily(system: RunningSystem, *, samples: int, rate: float) -> list[float]:
    """Seconds of each delivery, of posts written at fixed instants, whether or not the last one is delivered."""
    connection = await asyncpg.connect(system.urls.database_url)
    events: list[int] = []
    began = time.monotonic()
    for number in range(samples):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        events.append(await _publish(connection, 1 + number % SMALL_AUTHORS))
    deadline = time.monotonic() + _DRAIN_SECONDS
    while len(lags := await connection.fetch(_LAGS, events)) < samples:
        assert time.monotonic() < deadline, "small posts were not delivered"
        await asyncio.sleep(0.1)
    await connection.close()
    return [row[0] for row in lags]


async def _keep_large_in_flight(system: RunningSystem, stop: asyncio.Event) -> list[float]:
    """Posts to everybody, one after the other; seconds of each delivery."""
    connection = await asyncpg.connect(system.urls.database_url)
    took: list[float] = []
    while not stop.is_set():
        event = await _publish(connection, _LARGE)
        while not (lags := await connection.fetch(_LAGS, [event])):
            await asyncio.sleep(0.02)
        took.append(lags[0][0])
    await connection.close()
    return took


async def _publish(connection: asyncpg.Connection, author_id: int) -> int:
    event_id: int = await connection.fetchval(_POST, author_id)
    await connection.execute("SELECT pg_notify('tidings_outbox', '')")
    return event_id


if __name__ == "__main__":
    main()
