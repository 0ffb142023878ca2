"""Redis or PostgreSQL hung, away, back: what readers and writers are told, and how soon."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from app.stack.servers import EmbeddedServers
from domain.errors import UnavailableError
from domain.feed import FeedDegradation, FeedPage
from settings import Settings
from tests.databases import backends_with
from tests.world import World, ids

PROMISED_SECONDS = 2.0
SLACK_SECONDS = 0.8
"""For a busy machine: the promise itself is measured in the bench."""


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[World]:
    """Deadlines as they are delivered, in a small world that has been read once."""
    defaults = Settings.model_fields
    async with backends_with(
        settings,
        database_timeout_seconds=defaults["database_timeout_seconds"].default,
        redis_timeout_seconds=defaults["redis_timeout_seconds"].default,
    ) as backends:
        world = World(backends)
        await world.add("ada", "bob")
        await world.follow("bob", "ada")
        yield world


@contextmanager
def stopped(*pids: int) -> Iterator[None]:
    """The processes hang: their sockets are open and nobody answers."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in reversed(pids):
            os.kill(pid, signal.SIGCONT)


async def test_a_hung_redis_gives_the_same_pages_in_bounded_time_and_heals(shop: World, servers: EmbeddedServers) -> None:
    posts = [await shop.post("ada") for _ in range(30)]
    await shop.drain()
    expected = posts[::-1]
    assert await shop.walk("bob", 10) == expected
    with stopped(servers.pids["feeds"]):
        began = time.monotonic()
        page = await shop.page("bob", 20)
        assert time.monotonic() - began < PROMISED_SECONDS + SLACK_SECONDS
        assert ids(page) == expected[:20]
        assert page.status.complete
        assert FeedDegradation.CACHE_UNAVAILABLE in page.status.degradations
        pages = await asyncio.gather(*(shop.page("bob", 20) for _ in range(20)))
        assert all(ids(page) == expected[:20] for page in pages)
        new = await shop.post("ada")
        assert await shop.walk("bob", 7) == [new, *expected]
    async with asyncio.timeout(10):
        while FeedDegradation.CACHE_UNAVAILABLE in (await shop.page("bob", 20)).status.degradations:
            await asyncio.sleep(0.2)
    await shop.drain()
    assert await shop.walk("bob", 7) == [new, *expected]


async def test_a_hung_database_is_flagged_or_unavailable_in_time_and_heals_without_leaks(
    shop: World, servers: EmbeddedServers
) -> None:
    await shop.post("ada")
    await asyncio.gather(*(shop.page("bob") for _ in range(8)))  # fill the pool
    pool = shop.backends.database.engine.pool
    with stopped_postgres(servers.pids["postgres"]):
        began = time.monotonic()
        results = await asyncio.gather(
            *(shop.page("bob") for _ in range(12)),
            *(shop.post("ada") for _ in range(3)),
            return_exceptions=True,
        )
        took = time.monotonic() - began
    found, refusals = results[:12], results[12:]
    assert all(isinstance(result, FeedPage) and result.edges and not result.status.complete for result in found), found
    assert all(isinstance(result, UnavailableError) for result in refusals), refusals
    assert took < PROMISED_SECONDS + SLACK_SECONDS, took
    async with asyncio.timeout(15):
        while not (page := await shop.page("bob")).status.complete:
            await asyncio.sleep(0.1)
    assert page.edges
    assert pool.checkedout() == 0  # type: ignore[attr-defined]
    pages = await asyncio.gather(*(shop.page("bob") for _ in range(12)))
    assert all(page.status.complete for page in pages)


def stopped_postgres(pid: int) -> AbstractContextManager[None]:
    """PostgreSQL and its backends."""
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return stopped(pid, *children)


async def test_killed_database_connections_are_replaced(shop: World) -> None:
    post = await shop.post("ada")
    await asyncio.gather(*(shop.page("bob") for _ in range(5)))
    from sqlalchemy import text

    async with shop.backends.database.reading() as session:
        await session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    for _ in range(6):
        assert ids(await shop.page("bob")) == [post]
    assert shop.backends.database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


async def test_a_wiped_redis_forgets_scripts_and_timelines_and_the_next_read_is_right(shop: World) -> None:
    posts = [await shop.post("ada") for _ in range(5)]
    await shop.drain()
    await shop.warm("bob")
    await shop.backends.redis.redis.flushall()
    await shop.backends.redis.redis.script_flush()
    pages = await asyncio.gather(*(shop.page("bob") for _ in range(4)))
    assert all(ids(page) == posts[::-1] and page.status.complete for page in pages)
    assert (await shop.backends.timelines.inspect(shop.ids["bob"])).ids == posts[::-1]


async def test_redis_away_during_fan_out_postpones_and_counts_no_failure(shop: World, servers: EmbeddedServers) -> None:
    from db import outbox
    from domain.errors import CacheUnavailableError
    from services.fan_out.deliver_event import deliver_event
    from services.fan_out.note_failure import postpone

    await shop.warm("bob")
    await shop.drain()
    post = await shop.post("ada")
    async with shop.backends.database.writing() as session:
        (event,) = await outbox.lease_due_events(session, size=5, lease_seconds=10)
    with stopped(servers.pids["feeds"]), pytest.raises(CacheUnavailableError):
        await deliver_event(shop.backends, event_id=event.id, attempt=event.attempt)
    await postpone(shop.backends, event_id=event.id, attempt=event.attempt)
    from sqlalchemy import text

    async with shop.backends.database.reading() as session:
        row = (await session.execute(text("SELECT failures, parked_at, closed_at FROM outbox WHERE closed_at IS NULL"))).one()
    assert tuple(row) == (0, None, None)
    assert ids(await shop.page("bob")) == [post]
    await asyncio.sleep(1.1)
    assert await shop.drain() == 1
    assert ids(await shop.page("bob")) == [post]
