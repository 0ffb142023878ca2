"""First pages of timelines, as many as Redis and this process give: `python -m bench.timeline_reads`, for other measurements.

Reads its wish as JSON from stdin; prints pages a second, and how many of them were warm.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from datetime import timedelta

import uvloop

from cache.client import RedisClient
from cache.timelines import Timelines, Warmth
from domain.ids import MAX_ID
from domain.timeline_version import TimelineVersion

_READERS = 32
_PAGE = 20


async def _run(wish: dict[str, object]) -> dict[str, float]:
    client = RedisClient(str(wish["url"]), timeout_seconds=5)
    timelines = Timelines(client, cap=500, ttl=timedelta(days=1))
    first, count = int(str(wish["first"])), int(str(wish["count"]))
    version = TimelineVersion(str(wish["database"]), int(str(wish["graph"])))
    stop_at = time.monotonic() + float(str(wish["seconds"]))
    pages, warm = 0, 0

    async def read(number: int) -> None:
        nonlocal pages, warm
        chance = random.Random(number)
        while time.monotonic() < stop_at:
            found = await timelines.read_older(first + chance.randrange(count), version=version, below=MAX_ID, size=_PAGE)
            pages += 1
            warm += found.warmth is Warmth.WARM

    began = time.monotonic()
    await asyncio.gather(*(read(number) for number in range(_READERS)))
    await client.close()
    return {"rate": pages / (time.monotonic() - began), "warm": warm / max(1, pages)}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_run(json.load(sys.stdin)))))
