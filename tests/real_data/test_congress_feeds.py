"""Real people's home feeds, paged to their end through GraphQL over HTTP, against an oracle of the files alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from app.stack.urls import ServerUrls
from app.stack.valkey import EmbeddedValkey
from services.feeds.audit_timelines import audit_timeline
from tests.real_data.congress import PATIENCE, Congress
from tests.real_data.feed_walk import PAGE_SIZE, FeedClient, check_walk
from tests.role_processes import running_roles

pytestmark = [pytest.mark.real_data, pytest.mark.timeout(3_600)]

READERS = 4
"""Feeds that are read at a time."""


@asynccontextmanager
async def _reading(urls: ServerUrls, folder: Path) -> AsyncIterator[FeedClient]:
    async with (
        running_roles(urls, folder / "metrics", "serve", environment=PATIENCE) as processes,
        httpx.AsyncClient(base_url=processes.address, timeout=60) as client,
    ):
        yield FeedClient(client)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def reading(congress: Congress, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FeedClient]:
    """One process for all walks that leave the servers alone."""
    async with _reading(congress.urls, tmp_path_factory.mktemp("reading")) as client:
        yield client


async def _each(accounts: list[str], check: Callable[[str], Awaitable[None]]) -> None:
    turn = asyncio.Semaphore(READERS)

    async def one(account: str) -> None:
        async with turn:
            await check(account)

    async with asyncio.TaskGroup() as group:
        for account in accounts:
            group.create_task(one(account))


async def test_warm_timelines_give_the_feed_of_the_files(congress: Congress, is_whole: bool, reading: FeedClient) -> None:
    async def check(account: str) -> None:
        viewer_id, expected = congress.viewer_ids[account], congress.feeds[account]
        await reading.page(account)
        before = await audit_timeline(congress.backends, viewer_id)
        assert before.is_warm
        assert before.is_right
        check_walk(await reading.walk(account), expected, degradations=[])
        # Nothing was built anew on the way: the second walk met the timeline that the first page made.
        assert await audit_timeline(congress.backends, viewer_id) == before

    await _each(congress.accounts(is_whole=is_whole), check)


async def test_cold_timelines_give_the_feed_of_the_files(congress: Congress, is_whole: bool, reading: FeedClient) -> None:
    async def check(account: str) -> None:
        viewer_id = congress.viewer_ids[account]
        await congress.backends.timelines.forget([viewer_id])
        check_walk(await reading.walk(account), congress.feeds[account], degradations=[])

    await _each(congress.accounts(is_whole=is_whole), check)


async def test_a_stopped_redis_changes_no_page(congress: Congress, is_whole: bool, tmp_path: Path) -> None:
    async def check(account: str) -> None:
        check_walk(await client.walk(account), congress.feeds[account], degradations=["CACHE_UNAVAILABLE"])

    redis = EmbeddedValkey(tmp_path / "valkey", "stopped", persistent=False)
    redis.start()
    urls = ServerUrls(congress.urls.database_url, redis.url, congress.urls.broker_url)
    try:
        async with _reading(urls, tmp_path) as client:
            await client.page(next(iter(congress.feeds)))
            redis.stop()
            await _each(congress.accounts(is_whole=is_whole), check)
    finally:
        redis.stop()


async def test_any_entry_s_cursor_goes_on_behind_it_from_any_state_of_the_cache(
    congress: Congress, reading: FeedClient
) -> None:
    account = max(sorted(congress.feeds), key=lambda account: len(congress.feeds[account]))
    viewer_id, expected = congress.viewer_ids[account], congress.feeds[account]
    assert len(expected) > 2 * congress.backends.timelines.cap, "the walk leaves the cached slice"
    pages = await reading.walk(account)
    cursors = [cursor for page in pages for cursor in page.cursors]
    assert len(set(cursors)) == len(expected)
    for place in range(0, len(expected), 401):
        wanted = expected[place + 1 : place + 1 + PAGE_SIZE]
        assert (await reading.page(account, cursors[place])).post_ids == wanted
        await congress.backends.timelines.forget([viewer_id])
        assert (await reading.page(account, cursors[place])).post_ids == wanted
