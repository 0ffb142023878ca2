"""The log of changes: what is newer than a place in it, and when nobody can say."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from datetime import UTC, datetime, timedelta

import pytest

from app.stack.servers import EmbeddedServers
from cache import keys
from cache.changes import Changes
from cache.client import RedisClient
from domain.errors import CacheUnavailableError
from services.backends import Backends
from settings import Settings


@pytest.fixture
def changes(backends: Backends) -> Changes:
    return backends.changes


async def stamp(changes: Changes, *subjects: str) -> None:
    await changes.stamp(frozenset(subjects))


async def test_what_was_stamped_after_a_place_has_changed(changes: Changes) -> None:
    await stamp(changes, "before")
    place = await changes.place()
    assert await changes.find_changed(["before", "never"], since=place) == set()
    await stamp(changes, "after", "before")
    assert await changes.find_changed(["before", "after", "never"], since=place) == {"before", "after"}
    assert await changes.find_changed(["before", "after"], since=await changes.place()) == set()


async def test_stamps_grow_whatever_the_clock_does(backends: Backends, changes: Changes) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=1)).timestamp() * 1_000_000
    await changes.place()
    await backends.redis.redis.zadd(keys.CHANGES, {"ahead": ahead})
    try:
        place = await changes.place()
        assert place.newest == int(ahead)
        await stamp(changes, "one")
        between = await changes.place()
        await stamp(changes, "two")
        assert await changes.find_changed(["ahead", "one", "two"], since=place) == {"one", "two"}
        assert await changes.find_changed(["ahead", "one", "two"], since=between) == {"two"}
    finally:
        await backends.redis.redis.delete(keys.CHANGES)


async def test_a_log_that_was_lost_says_nothing(backends: Backends, changes: Changes) -> None:
    place = await changes.place()
    await backends.redis.redis.delete(keys.CHANGES)
    assert await changes.find_changed(["one"], since=place) is None
    await stamp(changes, "one")
    assert await changes.find_changed(["one"], since=place) is None
    assert await changes.find_changed(["one"], since=await changes.place()) == set()


async def test_old_stamps_go_and_the_beginning_stays(backends: Backends, settings: Settings) -> None:
    await backends.redis.redis.delete(keys.CHANGES)
    short = Changes(backends.redis, keep=timedelta(milliseconds=200))
    place = await short.place()
    await stamp(short, "old")
    await asyncio.sleep(0.3)
    await stamp(short, "new")
    assert await backends.redis.redis.zrange(keys.CHANGES, 0, -1) == [b"begin", b"new"]
    assert await short.find_changed(["new"], since=place) == {"new"}
    await backends.redis.redis.delete(keys.CHANGES)


async def test_after_an_instant(changes: Changes) -> None:
    await stamp(changes, "one")
    now = datetime.now(UTC)
    assert await changes.find_changed_after(["one", "never"], now - timedelta(seconds=30)) == {"one"}
    assert await changes.find_changed_after(["one", "never"], now + timedelta(seconds=30)) == set()


async def test_a_stamp_that_redis_does_not_take_follows_later(servers: EmbeddedServers) -> None:
    client = RedisClient(servers.urls.redis_url, timeout_seconds=0.1)
    changes = Changes(client, keep=timedelta(hours=1))
    place = await changes.place()
    os.kill(servers.pids["feeds"], signal.SIGSTOP)
    try:
        async with asyncio.timeout(2):
            await stamp(changes, "late")
        with pytest.raises(CacheUnavailableError):
            await changes.find_changed(["late"], since=place)
    finally:
        os.kill(servers.pids["feeds"], signal.SIGCONT)
    async with asyncio.timeout(10):
        while True:
            try:
                if await changes.find_changed(["late"], since=place) == {"late"}:
                    break
            except CacheUnavailableError:
                pass
            await asyncio.sleep(0.1)
    await changes.close()
    await client.close()


async def test_whoever_is_cancelled_right_after_the_commit_has_stamped(backends: Backends, changes: Changes) -> None:
    place = await changes.place()
    committed = asyncio.Event()

    async def change() -> None:
        async with backends.database.writing() as session:
            session.touch("cut")
            committed.set()

    task = asyncio.create_task(change())
    await committed.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(5):
        while await changes.find_changed(["cut"], since=place) != {"cut"}:
            await asyncio.sleep(0.01)


async def test_what_was_rolled_back_is_not_stamped(backends: Backends, changes: Changes) -> None:
    place = await changes.place()
    with contextlib.suppress(RuntimeError):
        async with backends.database.writing() as session:
            session.touch("nothing")
            raise RuntimeError
    assert await changes.find_changed(["nothing"], since=place) == set()
