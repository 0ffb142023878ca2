"""CPU of a process for the Redis reads of a warm page, by client: `python -m bench.redis_clients [--rounds 5] [--pages 1500]`.

A page: 21 ids of a timeline of 500, the set of the 21 pulled authors, and the merged lists of these. The ways take turns within
one run, on uvloop, 32 pages at a time; each figure is the median of the rounds, each ratio that of the rounds' own ratios, so
that whatever else the machine does falls on all of them alike. Before, all ways must give the same answers.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvloop

from app.stack.valkey import EmbeddedValkey
from bench.table import print_table
from cache import keys
from cache.client import RedisClient
from cache.pulled_authors import PulledAuthors, PulledAuthorsVersion
from cache.pulled_posts import PulledPosts
from cache.scripts import source
from cache.timelines import TRIM_SLACK, Timelines, member_of, score_of
from domain.ids import make_id
from domain.timeline_version import TimelineVersion

_VIEWERS = 500
_PULLED = 21
_PAGE = 21
_BATCH = 100
"""Timelines of one delivery."""
_AT_A_TIME = 32
_NOW_MS = 1_790_000_000_000
_DAY_MS = 86_400_000
_TIMEOUT_SECONDS = 5.0
_VERSION = TimelineVersion("01234567.1", 1)

Way = Callable[[int], Awaitable[Sequence[Any]]]


class Ways:
    """The same reads by different clients. Each way takes the number of a viewer."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client
        self._lists = [keys.pulled_posts(author) for author in range(1, _PULLED + 1)]
        texts = (source("read_timeline"), source("read_pulled_older"), source("tell_viewers", "deliver"))
        self._slow = [client.redis.register_script(text) for text in texts]
        self._hot = [client.hot_script(text) for text in texts]
        self._slice: list[str | int] = ["-inf", "", _PAGE, _DAY_MS]
        self._receivers = [keys.timeline(viewer) for viewer in range(1, _BATCH + 1)]
        post_id = make_id(milliseconds=_NOW_MS + 1, sequence=1, shard=1)
        self._post: list[str | int] = [member_of(post_id), score_of(post_id), 500, TRIM_SLACK]

    @property
    def _merged(self) -> list[str | int]:
        marker = f"{_VERSION.database}:{_VERSION.graph}:"
        return ["-inf", "", _PAGE, 0, f"r:{self._client.run_id}:", *[marker] * _PULLED]

    async def pipeline(self, viewer: int) -> Sequence[Any]:
        pipeline = self._client.redis.pipeline(transaction=False)
        await self._slow[0](keys=[keys.timeline(viewer)], args=self._slice, client=pipeline)
        pipeline.getex(keys.pulled_authors(viewer), px=_DAY_MS)
        await self._slow[1](keys=self._lists, args=self._merged, client=pipeline)
        return await self._client.run(pipeline.execute())

    async def one_by_one(self, viewer: int) -> Sequence[Any]:
        run = self._client.run
        return [
            await run(self._slow[0](keys=[keys.timeline(viewer)], args=self._slice)),
            await run(self._client.redis.getex(keys.pulled_authors(viewer), px=_DAY_MS)),
            await run(self._slow[1](keys=self._lists, args=self._merged)),
        ]

    async def hot_one_by_one(self, viewer: int) -> Sequence[Any]:
        return [
            await self._hot[0](keys=[keys.timeline(viewer)], args=self._slice),
            await self._client.call("GETEX", keys.pulled_authors(viewer), "PX", _DAY_MS),
            await self._hot[1](keys=self._lists, args=self._merged),
        ]

    async def hot_together(self, viewer: int) -> Sequence[Any]:
        return await self._client.call_many(
            [
                self._hot[0].command([keys.timeline(viewer)], self._slice),
                ("GETEX", keys.pulled_authors(viewer), "PX", _DAY_MS),
                self._hot[1].command(self._lists, self._merged),
            ]
        )

    async def get(self, viewer: int) -> Sequence[Any]:
        return [await self._client.run(self._client.redis.get(keys.pulled_authors(viewer)))]

    async def hot_get(self, viewer: int) -> Sequence[Any]:
        return [await self._client.call("GET", keys.pulled_authors(viewer))]

    async def deliver(self, _: int) -> Sequence[Any]:
        return [await self._client.run(self._slow[2](keys=self._receivers, args=self._post))]

    async def hot_deliver(self, _: int) -> Sequence[Any]:
        return [await self._hot[2](keys=self._receivers, args=self._post)]


async def fill(client: RedisClient) -> None:
    """Timelines, sets and lists as they are after their first reads."""
    viewers = dict.fromkeys(range(1, _VIEWERS + 1), _VERSION)
    authors = dict.fromkeys(range(1, _PULLED + 1), _VERSION)
    day = timedelta(milliseconds=_DAY_MS)
    chance = random.Random(1)
    timelines, lists = Timelines(client, cap=500, ttl=day), PulledPosts(client, cap=100, ttl=day)
    sets = PulledAuthors(client, ttl=day)
    for owners, length, rooms in ((viewers, 500, timelines), (authors, 100, lists)):
        for claim in await rooms.begin_building_many(owners):
            moments = chance.sample(range(_DAY_MS), length)
            ids = [make_id(milliseconds=_NOW_MS - ms, sequence=1, shard=claim.owner_id % 1_024) for ms in sorted(moments)]
            await rooms.finish_building(claim, ids)
    for viewer in viewers:
        await sets.store(viewer, dict.fromkeys(authors, 1), PulledAuthorsVersion(_VERSION, 1))


async def cost(way: Way, pages: int, chance: random.Random) -> float:
    """CPU microseconds of this process for a page."""
    viewers = iter([chance.randint(1, _VIEWERS) for _ in range(pages)])

    async def one_after_the_other() -> None:
        for viewer in viewers:
            await way(viewer)

    began = time.process_time()
    await asyncio.gather(*(one_after_the_other() for _ in range(_AT_A_TIME)))
    return (time.process_time() - began) / pages * 1_000_000


async def measure(url: str, *, rounds: int, pages: int) -> None:
    client = RedisClient(url, timeout_seconds=_TIMEOUT_SECONDS)
    await fill(client)
    ways = Ways(client)
    for viewer in range(1, 20):
        answers = [await way(viewer) for way in (ways.pipeline, ways.one_by_one, ways.hot_one_by_one, ways.hot_together)]
        assert all(answer == answers[0] for answer in answers), "not the same answers"
        assert len(answers[0][0]) == 2 + _PAGE
        assert len(answers[0][2][2]) == _PAGE
    assert await ways.get(1) == await ways.hot_get(1)
    assert await ways.deliver(1) == await ways.hot_deliver(1) == [_BATCH]
    rows: dict[str, tuple[Way, int]] = {
        "page: redis-py, pipeline": (ways.pipeline, pages),
        "page: redis-py, one by one": (ways.one_by_one, pages),
        "page: hot socket, one by one": (ways.hot_one_by_one, pages),
        "page: hot socket, together": (ways.hot_together, pages),
        "GET: redis-py": (ways.get, 2 * pages),
        "GET: hot socket": (ways.hot_get, 2 * pages),
        "delivery to 100: redis-py": (ways.deliver, pages // 3),
        "delivery to 100: hot socket": (ways.hot_deliver, pages // 3),
    }
    found: dict[str, list[float]] = {name: [] for name in rows}
    for turn in range(rounds + 1):
        for name, (way, times) in rows.items():
            spent = await cost(way, times, random.Random(turn))
            if turn:  # the first one warms up
                found[name].append(spent)
    await client.close()
    print(f"{pages} pages a round, {rounds} rounds, load {os.getloadavg()[0]:.1f}")
    base = {name.split(":")[0]: name for name in reversed(rows) if "redis-py" in name and "one by one" not in name}
    print_table(
        ["", "CPU µs", "of redis-py"],
        [
            [
                name,
                f"{statistics.median(spent):.0f}",
                f"{statistics.median(one / two for one, two in zip(spent, found[base[name.split(':')[0]]], strict=True)):.2f}",
            ]
            for name, spent in found.items()
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pages", type=int, default=1_500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tidings-bench-") as folder:
        valkey = EmbeddedValkey(Path(folder), "bench", persistent=False)
        valkey.start()
        try:
            uvloop.run(measure(valkey.url, rounds=options.rounds, pages=options.pages))
        finally:
            valkey.stop()


if __name__ == "__main__":
    main()
