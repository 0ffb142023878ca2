"""What makes PostgreSQL count as away, and what does not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy import text

from db.database import Database
from db.presence import Presence
from domain.errors import UnavailableError
from tests.cut_connection import cut_connection

POOL = 3


@asynccontextmanager
async def database_at(url: str, *, timeout_seconds: float = 1.5) -> AsyncIterator[Database]:
    database = Database(url, pool_size=POOL, timeout_seconds=timeout_seconds, fails_fast=True)
    try:
        yield database
    finally:
        await database.close()


async def sleep_in(database: Database, seconds: float) -> None:
    async with database.reading() as session:
        await session.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": seconds})


async def ask(database: Database) -> None:
    await sleep_in(database, 0)


async def wait_until_there(database: Database) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                return await ask(database)
            except UnavailableError:
                await asyncio.sleep(0.05)


async def test_slow_statements_and_a_full_pool_are_no_outage(database_url: str) -> None:
    async with database_at(database_url) as database:
        # All connections are busy beyond every patience, and many wait for one.
        slow = [asyncio.create_task(sleep_in(database, 1.2)) for _ in range(POOL)]
        await asyncio.sleep(0.1)
        waiting = [asyncio.create_task(ask(database)) for _ in range(10)]
        assert await asyncio.gather(*slow, *waiting) == [None] * (POOL + 10)


async def test_a_statement_beyond_its_deadline_is_its_own_affair(database_url: str) -> None:
    async with database_at(database_url) as database:
        slow = asyncio.create_task(sleep_in(database, 5))
        await asyncio.sleep(1.0)
        await ask(database)
        with pytest.raises(UnavailableError):
            await slow
        await ask(database)


async def test_killed_connections_are_no_outage(database_url: str) -> None:
    async with database_at(database_url) as database:
        await asyncio.gather(*(sleep_in(database, 0.05) for _ in range(POOL)))
        one = asyncio.create_task(sleep_in(database, 1))
        await asyncio.sleep(0.1)
        connection = await asyncpg.connect(database_url)
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await connection.close()
        with pytest.raises(UnavailableError):
            await one
        for _ in range(20):
            await ask(database)
            await asyncio.sleep(0.02)


async def test_nobody_waits_for_a_server_that_is_known_to_be_away_and_all_heals(database_url: str) -> None:
    async with cut_connection(database_url) as way, database_at(way.url) as database:
        await ask(database)
        way.hang()
        began = time.monotonic()
        results = await asyncio.gather(*(ask(database) for _ in range(20)), return_exceptions=True)
        assert all(isinstance(result, UnavailableError) for result in results)
        assert time.monotonic() - began < 1.5 + 0.3
        began = time.monotonic()
        for _ in range(50):
            with pytest.raises(UnavailableError):
                await ask(database)
        assert time.monotonic() - began < 0.5, "fifty answers in less time than one wait"
        with pytest.raises(UnavailableError):
            async with database.writing():
                pytest.fail("nothing may be begun")
        way.flow()
        await wait_until_there(database)
        assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        await asyncio.gather(*(ask(database) for _ in range(20)))


async def test_a_refusal_is_an_answer() -> None:
    async def probe() -> None:
        raise asyncpg.TooManyConnectionsError("sorry, too many clients already")

    presence = Presence(probe)
    presence.doubt()
    await asyncio.sleep(0.05)
    assert not presence.is_away
    await presence.close()


async def until(presence: Presence, *, is_away: bool) -> None:
    while presence.is_away is not is_away:
        presence.doubt()
        await asyncio.sleep(0.01)


async def test_one_probe_at_a_time_until_one_succeeds() -> None:
    probes = running = most = 0

    async def probe() -> None:
        nonlocal probes, running, most
        probes += 1
        running += 1
        most = max(most, running)
        try:
            if probes < 4:
                raise OSError("refused")
        finally:
            running -= 1

    presence = Presence(probe)
    for _ in range(10):
        presence.doubt()
    async with asyncio.timeout(10):
        await until(presence, is_away=True)
        await until(presence, is_away=False)
    assert (probes, most) == (4, 1)
    await presence.close()


async def test_a_server_that_answers_others_is_not_away_however_slow_the_probe() -> None:
    probes = 0

    async def probe() -> None:
        nonlocal probes
        probes += 1
        if probes == 1:
            await asyncio.sleep(60)

    presence = Presence(probe)
    presence.doubt()
    await asyncio.sleep(0.25)
    presence.note_answer()
    async with asyncio.timeout(10):
        while probes < 2:
            assert not presence.is_away
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert not presence.is_away
    await presence.close()
