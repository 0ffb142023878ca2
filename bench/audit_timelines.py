"""`tidings doctor --all --repair` over everybody of higgs2012, with corruptions planted: `python -m bench.audit_timelines`.

Accounts and follows are the data set's; each line of its log is a post by the account that acted, at its time. Every timeline
is made by `tidings feeds rebuild --everybody`, some are spoiled at random, in every way that there is, and the command itself
is measured from its start to its end, servers apart.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from pydantic import SecretStr

from app.stack.servers import EmbeddedServers
from app.stack.urls import ServerUrls
from bench.table import print_table
from bootstrap import open_backends
from cache.timeline_audit import StoredTimeline, TimelineReader
from db.bulk import bulk_connection
from db.timeline_audit import load_pushed_ids_of_many
from migrations.run import upgrade
from services.backends import Backends
from services.importing.import_files import import_files
from settings import Settings
from tests.timeline_corruptions import CORRUPTIONS, Corruption, Victim

HIGGS = Path(__file__).resolve().parents[2] / "shared" / "data" / "higgs2012"
TARGET_PER_SECOND = 2_000
_THRESHOLD = 10_000
_BELOW = 50
_TRIES = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planted", type=int, default=100)
    parser.add_argument("--seed", type=int, default=2012)
    options = parser.parse_args()
    if not HIGGS.is_dir():
        print("skipped: the real data set higgs2012 is not there: ../shared/data/higgs2012")
        return
    with (
        tempfile.TemporaryDirectory(prefix="tidings-bench-") as folder,
        EmbeddedServers(Path(folder), durable=False) as servers,
    ):
        asyncio.run(_prepare(servers.urls))
        print(_run(servers.urls, "feeds", "rebuild", "--everybody", status=0).strip())
        planted = asyncio.run(_plant(servers.urls, options.planted, random.Random(options.seed)))
        began = time.perf_counter()
        found = json.loads(_run(servers.urls, "doctor", "--all", "--repair", "--json", status=1))["timelines"]
        seconds = time.perf_counter() - began
        again = json.loads(_run(servers.urls, "doctor", "--all", "--json", status=0))["timelines"]
    _report(planted, found, again, seconds)


async def _prepare(urls: ServerUrls) -> None:
    await upgrade(urls.database_url)
    await import_files(urls.database_url, HIGGS, celebrity_threshold=_THRESHOLD, strict=True)
    async with bulk_connection(urls.database_url) as connection:
        await connection.execute("CREATE TEMP TABLE acted (account text, seconds bigint, place bigint)")
        await connection.copy("acted", ("account", "seconds", "place"), _acted())
        posts = await connection.execute(
            """
            INSERT INTO posts (id, author_id, text, created_at, delivery)
            SELECT (ms << 22) | ((place & 4095) << 10) | (u.id & 1023), u.id, 'acted', to_timestamp(ms / 1000.0),
              CASE WHEN u.follower_count >= $1 THEN 'PULL' ELSE 'PUSH' END
            FROM (
              SELECT account, seconds * 1000 + (place >> 12) AS ms, place FROM (
                SELECT account, seconds, row_number() OVER (PARTITION BY seconds ORDER BY place) AS place FROM acted
              ) AS numbered
            ) AS timed JOIN users u ON u.external_id = account
            """,
            _THRESHOLD,
        )
        await connection.execute("UPDATE users SET has_pulled_posts = true WHERE follower_count >= $1", _THRESHOLD)
        for table in ("posts", "users", "follows"):
            await connection.execute(f"VACUUM ANALYZE {table}")
        accounts = await connection.fetch_value("SELECT count(*) FROM users")
        follows = await connection.fetch_value("SELECT count(*) FROM follows")
    print(f"{accounts:,} accounts, {follows:,} follows, {posts:,} posts")


def _acted() -> Iterator[tuple[str, int, int]]:
    with gzip.open(HIGGS / "higgs-activity_time.txt.gz", "rt", encoding="ascii") as file:
        for place, line in enumerate(file):
            actor, _, seconds, _ = line.split()
            yield actor, int(seconds), place


def _run(urls: ServerUrls, *arguments: str, status: int) -> str:
    """A command's stdout. It must end with that status."""
    environment = {
        **os.environ,
        "TIDINGS_DATABASE_URL": urls.database_url,
        "TIDINGS_REDIS_URL": urls.redis_url,
        "TIDINGS_BROKER_URL": urls.broker_url,
    }
    command = [sys.executable, "-m", "app.cli", *arguments]
    ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, timeout=1_800, check=False)
    assert ended.returncode == status, f"{arguments} ended with status {ended.returncode}: {ended.stdout[:2_000]}"
    return ended.stdout


@asynccontextmanager
async def _opened(urls: ServerUrls) -> AsyncIterator[Backends]:
    settings = Settings(
        database_url=SecretStr(urls.database_url), redis_url=SecretStr(urls.redis_url), broker_url=SecretStr(urls.broker_url)
    )
    async with open_backends(settings, is_background=True) as backends:
        yield backends


async def _plant(urls: ServerUrls, count: int, chance: random.Random) -> dict[int, Corruption]:
    """Spoils that many timelines of different viewers, each kind as often as the next."""
    planted: dict[int, Corruption] = {}
    async with _opened(urls) as backends:
        viewers = [viewer_id async for viewer_id in backends.timelines.viewer_ids()]
        candidates = sorted(set(viewers))
        chance.shuffle(candidates)
        cut = await _cut_ones(backends, candidates)
        print(f"{len(candidates):,} timelines in the cache, {len(cut):,} of them cut")
        for number in range(count):
            corruption = CORRUPTIONS[number % len(CORRUPTIONS)]
            needs_cut = corruption.name in {"below the slice", "falsely whole"}
            for _ in range(_TRIES):
                viewer_id = chance.choice(cut if needs_cut else candidates)
                if viewer_id not in planted:
                    victim = await _victim(urls, backends, viewer_id, chance.choice(candidates))
                    if await corruption.spoil(backends.redis.redis, victim, chance):
                        planted[viewer_id] = corruption
                        break
            else:
                raise RuntimeError(f"nobody's timeline can be spoiled: {corruption.name}")
    return planted


async def _cut_ones(backends: Backends, viewer_ids: list[int]) -> list[int]:
    reader = TimelineReader(backends.redis)
    found: list[int] = []
    for start in range(0, len(viewer_ids), 1_000):
        timelines = await reader.read(viewer_ids[start : start + 1_000])
        found += [stored.viewer_id for stored in timelines if stored.marker is not None and not stored.marker.is_whole]
    return found


async def _victim(urls: ServerUrls, backends: Backends, viewer_id: int, other_id: int) -> Victim:
    stored, other = await TimelineReader(backends.redis).read([viewer_id, other_id])
    async with backends.database.reading() as session:
        pushed = (await load_pushed_ids_of_many(session, {viewer_id: 1}, size=len(stored.ids) + _BELOW)).get(viewer_id, [])
    older = [post_id for post_id in pushed if stored.ids and post_id < stored.ids[-1]]
    return Victim(stored, await _stranger_id(urls, stored), older[-1] if len(older) > 1 else None, other.ids)


async def _stranger_id(urls: ServerUrls, stored: StoredTimeline) -> int:
    connection = await asyncpg.connect(urls.database_url, timeout=10)
    try:
        post_id = await connection.fetchval(
            """
            SELECT id FROM posts WHERE id > $2 AND delivery = 'PUSH' AND author_id NOT IN (
              SELECT author_id FROM feed_sources WHERE viewer_id = $1
            ) ORDER BY id LIMIT 1
            """,
            stored.viewer_id,
            stored.ids[-1] if stored.ids else 0,
            timeout=30,
        )
        if post_id is None:
            post_id = await connection.fetchval("SELECT max(id) + 1 FROM posts", timeout=30)
        return int(post_id)
    finally:
        await connection.close(timeout=10)


def _report(planted: dict[int, Corruption], found: dict[str, Any], again: dict[str, Any], seconds: float) -> None:
    said = {wrong["viewer"]: {one["kind"] for one in wrong["differences"]} for wrong in found["wrong"]}
    named = Counter(kind.name for viewer_id, kind in planted.items() if said.get(viewer_id, set()) & kind.words)
    rows = [
        [kind, str(count), str(named[kind])] for kind, count in sorted(Counter(kind.name for kind in planted.values()).items())
    ]
    print_table(["corruption", "planted", "found"], [*rows, ["all", str(len(planted)), str(named.total())]])
    rate = found["accounts"] / seconds
    print(
        f"doctor --all --repair: {found['accounts']:,} timelines in {seconds:.1f} s: {rate:,.0f}/s "
        f"(at least {TARGET_PER_SECOND:,}); {len(said):,} wrong, {found['repaired']:,} repaired"
    )
    print(f"doctor --all afterwards: {again['accounts']:,} in {again['seconds']:.1f} s, {len(again['wrong'])} wrong")
    assert said.keys() == planted.keys(), "an innocent timeline was accused, or a spoiled one was not found"
    assert named.total() == len(planted), "found, but by another name"
    assert found["repaired"] == len(planted)
    assert rate >= TARGET_PER_SECOND


if __name__ == "__main__":
    main()
