"""A real heavy tail through the real relay and worker: everybody gets every post once, whatever dies on the way."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest

from app.stack.servers import EmbeddedServers
from db.feed_candidates import load_feed_viewer
from domain.records import Visibility
from services.feeds.audit_timelines import audit_timeline
from services.feeds.rebuild_timeline import rebuild_timeline
from services.posts.publish_post import publish_post
from tests.real_data.congress import PATIENCE
from tests.real_data.feed_walk import FeedClient, check_walk
from tests.real_data.higgs import Higgs, imported_higgs
from tests.role_processes import running_roles

pytestmark = [pytest.mark.real_data(whole_only=True), pytest.mark.timeout(1_800)]

AUTHORS = 40
SAMPLED_FOLLOWERS = 200
LARGEST = 23_143
RESTART_SECONDS = 15.0
_DRAIN_SECONDS = 120.0
_SEED = 2012
_AT_A_TIME = 8


async def _all_of(items: Iterable[str], work: Callable[[str], Awaitable[None]]) -> None:
    turn = asyncio.Semaphore(_AT_A_TIME)

    async def one(item: str) -> None:
        async with turn:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for item in items:
            group.create_task(one(item))


@asynccontextmanager
async def _connected(higgs: Higgs) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(higgs.urls.database_url, timeout=10, command_timeout=20)
    try:
        yield connection
    finally:
        await connection.close(timeout=10)


async def _until_delivered(connection: asyncpg.Connection, *, within_seconds: float) -> float:
    """Seconds until no promise is open."""
    began = time.monotonic()
    while await connection.fetchval("SELECT count(*) FROM outbox WHERE closed_at IS NULL"):
        assert time.monotonic() - began < within_seconds, "fan-out did not end in time"
        await asyncio.sleep(0.02)
    return time.monotonic() - began


async def _post(higgs: Higgs, author: str) -> int:
    post = await publish_post(
        higgs.backends, author_id=higgs.numbers[author], body=f"from {author}", visibility=Visibility.PUBLIC, location=None
    )
    return post.id


def _sample(higgs: Higgs, authors: Iterable[str]) -> list[str]:
    """200 followers of each author, or all where there are fewer."""
    chance = random.Random(_SEED)
    viewers: set[str] = set()
    for author in authors:
        followers = sorted(higgs.followers[author])
        viewers.update(chance.sample(followers, min(SAMPLED_FOLLOWERS, len(followers))))
    return sorted(viewers)


@pytest.mark.parametrize(("threshold", "of_the_largest"), [(10_000, "PULL"), (30_000, "PUSH")])
async def test_posts_of_the_most_followed_reach_every_sampled_follower_once(
    servers: EmbeddedServers, tmp_path: Path, threshold: int, of_the_largest: str
) -> None:
    async with (
        imported_higgs(servers.urls, threshold=threshold, redis_number=4 if threshold == 10_000 else 6) as higgs,
        _connected(higgs) as connection,
        running_roles(
            higgs.urls,
            tmp_path / "metrics",
            "serve",
            "relay",
            "worker 1",
            environment={**PATIENCE, "TIDINGS_CELEBRITY_THRESHOLD": str(threshold)},
        ) as processes,
        httpx.AsyncClient(base_url=processes.address, timeout=60) as http,
    ):
        print(f"follows imported at {higgs.follows_rows_per_second:,.0f} rows/s")
        client = FeedClient(http)
        authors = higgs.most_followed(AUTHORS)
        assert len(higgs.followers[authors[0]]) == LARGEST
        viewers = _sample(higgs, authors)
        warm = viewers[::2]
        await _all_of(warm, lambda viewer: _discard(client.page(viewer)))

        posts = {author: await _post(higgs, author) for author in authors}
        seconds = await _until_delivered(connection, within_seconds=_DRAIN_SECONDS)
        print(f"{len(posts)} posts delivered within {seconds:.1f} s; reading {len(viewers):,} feeds")
        ways = dict(await connection.fetch("SELECT author_id, delivery FROM posts"))
        assert ways.pop(higgs.numbers[authors[0]]) == of_the_largest
        assert set(ways.values()) == {"PUSH"}
        for viewer in warm:
            audit = await audit_timeline(higgs.backends, higgs.numbers[viewer])
            assert audit.is_warm
            assert audit.is_right

        async def check(viewer: str) -> None:
            # Nobody else posts in this world, so the whole feed is known from the file.
            seen = [post for author, post in posts.items() if author in higgs.followees[viewer] or author == viewer]
            check_walk(await client.walk(viewer), sorted(seen, reverse=True), degradations=[])

        await _all_of(viewers, check)


async def test_a_worker_killed_in_the_middle_of_the_largest_fan_out(servers: EmbeddedServers, tmp_path: Path) -> None:
    environment = {**PATIENCE, "TIDINGS_CELEBRITY_THRESHOLD": "30000", "TIDINGS_FANOUT_BATCH": "200"}
    async with (
        imported_higgs(servers.urls, threshold=30_000, redis_number=5) as higgs,
        _connected(higgs) as connection,
        running_roles(higgs.urls, tmp_path / "metrics", "serve", "relay", "worker 1", environment=environment) as processes,
        httpx.AsyncClient(base_url=processes.address, timeout=60) as http,
    ):
        client = FeedClient(http)
        [author] = higgs.most_followed(1)
        followers = higgs.followers[author]
        await _all_of(followers, lambda follower: _warm(higgs, follower))

        post = await _post(higgs, author)
        reached = await _until_in_the_middle(connection, max(higgs.numbers[follower] for follower in followers))
        processes.kill("worker 1")
        processes.start("worker 1")
        restarted_at = time.monotonic()
        # Until the dead worker's lease ends the timelines stay as they were, and readers find the post in the outbox.
        chance = random.Random(_SEED)
        witnesses = chance.sample(sorted(followers), SAMPLED_FOLLOWERS)
        holding = [follower for follower in witnesses if await _timeline(higgs, follower) == [post]]
        assert len(holding) < len(witnesses), "killed in the middle"
        for follower in witnesses[:20]:
            assert post in (await client.page(follower)).post_ids
        await _until_delivered(connection, within_seconds=RESTART_SECONDS)
        seconds = time.monotonic() - restarted_at
        print(f"killed at follower {reached}; done {seconds:.1f} s after the restart")
        assert seconds <= RESTART_SECONDS
        for follower in followers:
            assert await _timeline(higgs, follower) == [post]
        for follower in witnesses:
            check_walk(await client.walk(follower), [post], degradations=[])


async def _until_in_the_middle(connection: asyncpg.Connection, last: int) -> int:
    """Waits until part of the followers is served, and returns how far the fan-out was."""
    while True:
        row = await connection.fetchrow("SELECT last_follower_id, closed_at FROM outbox ORDER BY id DESC LIMIT 1")
        assert row["closed_at"] is None, "the fan-out ended before it could be disturbed"
        if row["last_follower_id"]:
            assert row["last_follower_id"] < last
            return int(row["last_follower_id"])
        await asyncio.sleep(0.001)


async def _warm(higgs: Higgs, account: str) -> None:
    async with higgs.backends.database.reading() as session:
        viewer = await load_feed_viewer(session, higgs.numbers[account])
        assert viewer is not None
        await rebuild_timeline(higgs.backends, session, higgs.numbers[account], version=viewer.timeline_version)


async def _timeline(higgs: Higgs, account: str) -> list[int]:
    return (await higgs.backends.timelines.inspect(higgs.numbers[account])).ids


async def _discard(page: Awaitable[object]) -> None:
    await page
