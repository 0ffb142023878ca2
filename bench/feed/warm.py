"""Fills Valkey with everybody's timeline, through the product's own steps of a rebuild, and keeps them from run to run.

Only the reading of a rebuild is another one: all follows and posts at once, merged in memory, since thousands of timelines are
wanted and nobody writes meanwhile. Whether it was read rightly is what the comparison of pages says.

Tidings never believes what an earlier run of Valkey has left. Here it may: nothing but this writes to the world. So the
timelines of a dump are given the present run's name in their markers.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import asyncpg

import cache
from bench.peers.seed_lists import seed_lists
from cache import keys
from db.timeline_audit import load_timeline_owners
from services.backends import Backends

_BATCH = 50
_DUMP_SECONDS = 120.0
_POLL_SECONDS = 0.1
_KEPT_UNDER = "bench:layout"
_TIMELINES = keys.timeline(0).replace("0", "*")
_PUSHED = """
SELECT author_id, array_agg(id ORDER BY id DESC) FROM posts
WHERE delivery = 'PUSH' AND deleted_at IS NULL AND visibility <> 'PRIVATE' GROUP BY author_id
"""
_ADOPT = """
local adopted, cursor = 0, '0'
repeat
  local found = redis.call('SCAN', cursor, 'MATCH', ARGV[2], 'COUNT', 1000)
  cursor = found[1]
  for _, key in ipairs(found[2]) do
    local marker = redis.call('ZRANGE', key, 0, 0)[1]
    local renamed = 'r:' .. ARGV[1] .. string.sub(marker, 3 + #ARGV[1])
    if marker ~= renamed then
      redis.call('ZREM', key, marker)
      redis.call('ZADD', key, '-inf', renamed)
    end
    redis.call('PERSIST', key)
    adopted = adopted + 1
  end
until cursor == '0'
return adopted
"""


async def warm_timelines(backends: Backends, database_url: str) -> int:
    """How many timelines are warm now: those of the dump, or new ones, dumped. The database must be at rest."""
    redis: Any = backends.redis.redis
    layout = _layout()
    await redis.ping()
    is_kept = await redis.get(_KEPT_UNDER) == layout.encode()
    if not is_kept:
        await redis.flushall()
        await _build_all(backends, database_url)
        await seed_lists(database_url, backends.redis.url)
        await redis.set(_KEPT_UNDER, layout)
    adopted = int(await redis.eval(_ADOPT, 0, backends.redis.run_id, _TIMELINES))
    if not is_kept:
        await _dump(redis)
    return adopted


async def _dump(redis: Any) -> None:
    """Valkey loads it by itself when it is started in the same folder."""
    await redis.bgsave()
    async with asyncio.timeout(_DUMP_SECONDS):
        while (found := await redis.info("persistence"))["rdb_bgsave_in_progress"]:
            await asyncio.sleep(_POLL_SECONDS)
    if found["rdb_last_bgsave_status"] != "ok":
        raise OSError("Valkey could not write its dump")


def _layout() -> str:
    """Of timelines, as the code writes and reads them: what was dumped under another one is of no use."""
    room = Path(cache.__file__).parent
    files = sorted([room / "keys.py", room / "timelines.py", *(room / "scripts").glob("*.lua")])
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


async def _build_all(backends: Backends, database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        posts: dict[int, list[int]] = dict(await connection.fetch(_PUSHED))
        followed = defaultdict(list)
        for follower, followee in await connection.fetch("SELECT follower_id, followee_id FROM follows"):
            followed[follower].append(followee)
        viewers = [row[0] for row in await connection.fetch("SELECT id FROM users ORDER BY id")]
    finally:
        await connection.close()
    for start in range(0, len(viewers), _BATCH):
        await _build(backends, viewers[start : start + _BATCH], posts, followed)


async def _build(
    backends: Backends, viewers: Sequence[int], posts: Mapping[int, list[int]], followed: Mapping[int, list[int]]
) -> None:
    timelines = backends.timelines
    async with backends.database.reading() as session:
        owners = await load_timeline_owners(session, viewers)
    claims = await timelines.begin_building_many({viewer: owner.version for viewer, owner in owners.items()})
    built: list[tuple[Any, Sequence[int]]] = []
    for claim in claims:
        newest: list[int] = []
        for author in followed.get(claim.owner_id, ()):
            newest += posts.get(author, ())
        newest.sort(reverse=True)
        built.append((claim, newest[: timelines.cap + 1]))
    await timelines.finish_building_many(built)
