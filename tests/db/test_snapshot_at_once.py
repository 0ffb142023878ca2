"""Several statements of one moment, sent as they are: nothing of it outlives its block, however that ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import text

from db.database import Database
from db.snapshot_at_once import snapshot_at_once
from domain.errors import UnavailableError
from settings import Settings

_COUNT = text("SELECT count(*) FROM walks")
_INSERT = text("INSERT INTO walks (name, position) VALUES (:name, 1)")
_STATE = text("SELECT current_setting('transaction_isolation'), current_setting('enable_seqscan')")
_SET = text("SELECT set_config('enable_seqscan', 'off', true)")


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """One connection: whatever is left in it, the next one meets."""
    database = Database(settings.database_url.get_secret_value(), pool_size=1, timeout_seconds=5)
    yield database
    await database.close()


async def _state(database: Database) -> tuple[str, str]:
    async with database.at_once() as session:
        ((isolation, seqscan),) = await session.execute(_STATE)
    return isolation, seqscan


async def test_all_statements_see_one_moment(database: Database, settings: Settings) -> None:
    other = Database(settings.database_url.get_secret_value(), pool_size=1, timeout_seconds=5)
    try:
        async with snapshot_at_once(database) as session:
            before = (await session.execute(_COUNT)).scalar_one()
            async with other.at_once() as writing:
                await writing.execute(_INSERT, {"name": "meanwhile"})
            assert (await session.execute(_COUNT)).scalar_one() == before
        async with snapshot_at_once(database) as session:
            assert (await session.execute(_COUNT)).scalar_one() == before + 1
    finally:
        await other.close()


async def test_what_is_set_holds_until_the_end(database: Database) -> None:
    usual = await _state(database)
    async with snapshot_at_once(database) as session:
        await session.execute(_SET)
        ((*state,),) = await session.execute(_STATE)
        assert state == ["repeatable read", "off"]
    assert await _state(database) == usual == ("read committed", "on")


async def test_nothing_can_be_written(database: Database) -> None:
    # To the driver the answer of a server that is no primary any more.
    with pytest.raises(UnavailableError):
        async with snapshot_at_once(database) as session:
            await session.execute(_INSERT, {"name": "no"})
    assert await _state(database) == ("read committed", "on")


async def test_an_error_leaves_no_transaction(database: Database) -> None:
    async def fail() -> None:
        async with snapshot_at_once(database) as session:
            await session.execute(_SET)
            raise LookupError

    for _ in range(3):
        with pytest.raises(LookupError):
            await fail()
        assert await _state(database) == ("read committed", "on")


async def test_whoever_is_cut_off_leaves_no_transaction(database: Database) -> None:
    async def sleep() -> None:
        async with snapshot_at_once(database) as session:
            await session.execute(_SET)
            await session.execute(text("SELECT pg_sleep(30)"))

    for _ in range(3):
        task = asyncio.create_task(sleep())
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await _state(database) == ("read committed", "on")
    assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


async def test_too_slow_is_unavailable(settings: Settings) -> None:
    database = Database(settings.database_url.get_secret_value(), pool_size=1, timeout_seconds=0.3)

    async def sleep_twice() -> None:
        async with snapshot_at_once(database) as session:
            for _ in range(2):
                await session.execute(text("SELECT pg_sleep(0.2)"))

    try:
        with pytest.raises(UnavailableError):
            await sleep_twice()
        assert await _state(database) == ("read committed", "on")
    finally:
        await database.close()


async def test_one_that_ends_while_idle_is_unavailable(database: Database) -> None:
    with pytest.raises((UnavailableError, asyncpg.PostgresError)):
        async with snapshot_at_once(database) as session:
            await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert await _state(database) == ("read committed", "on")
