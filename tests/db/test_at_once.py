"""Statements that are sent as they are: the same answers, the same errors, and no connection is handed on half-used."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from sqlalchemy import text

from bootstrap import open_backends
from db.database import Database
from domain.errors import RefusalCode, RefusedError, UnavailableError, refused
from services.backends import Backends
from settings import Settings

_ECHO = text("SELECT CAST(:a AS int) + CAST(:b AS int), :c, CAST(:a AS int) UNION ALL SELECT 0, '', 0")


async def _one(database: Database) -> object:
    async with database.at_once() as session:
        return (await session.execute(text("SELECT 1"))).scalar()


async def test_what_a_statement_answers(backends: Backends) -> None:
    async with backends.database.at_once() as session:
        rows = await session.execute(_ECHO, {"a": 1, "b": 2, "c": "x"})
        assert [tuple(row) for row in rows] == [(3, "x", 1), (0, "", 0)]
        assert tuple((await session.execute(_ECHO, {"a": 5, "b": 2, "c": ""})).first() or ()) == (7, "", 5)
        assert (await session.execute(text("SELECT 1 WHERE false"))).first() is None
        assert (await session.execute(text("SELECT 1 WHERE false"))).scalar() is None
        assert (await session.execute(text("SELECT 7"))).scalar_one() == 7


async def test_each_statement_is_a_transaction_and_changes_are_told(settings: Settings) -> None:
    told: list[frozenset[str]] = []

    async def hear(subjects: frozenset[str]) -> None:
        told.append(subjects)

    database = Database(settings.database_url.get_secret_value(), pool_size=1, timeout_seconds=5, on_change=hear)
    insert = text("INSERT INTO walks (name, position) VALUES (:name, 1)")

    async def write(subject: str) -> None:
        async with database.at_once() as session:
            session.touch(subject)
            await session.execute(insert, {"name": "one"})
            raise refused(RefusalCode.NOT_FOUND, "too late")

    try:
        with pytest.raises(RefusedError):
            await write("one")
        with pytest.raises(asyncpg.UniqueViolationError):
            await write("two")
        async with database.at_once() as session:
            assert (await session.execute(text("SELECT count(*) FROM walks"))).scalar() == 1
    finally:
        await database.close()
    # Told as well where nobody knows whether it has happened.
    assert told == [frozenset({"one"}), frozenset({"two"})]


async def test_whoever_is_cut_off_leaves_no_trace(settings: Settings) -> None:
    """One connection: the next one must not get the answer to the last question, nor its wait."""
    database = Database(settings.database_url.get_secret_value(), pool_size=1, timeout_seconds=5)

    async def sleep() -> None:
        async with database.at_once() as session:
            await session.execute(text("SELECT pg_sleep(30)"))

    try:
        for _ in range(5):
            task = asyncio.create_task(sleep())
            await asyncio.sleep(0.05)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert await _one(database) == 1
    finally:
        await database.close()


async def test_too_slow_is_unavailable(settings: Settings) -> None:
    async with open_backends(settings.model_copy(update={"database_timeout_seconds": 0.3})) as backends:
        with pytest.raises(UnavailableError):
            async with backends.database.at_once() as session:
                await session.execute(text("SELECT pg_sleep(30)"))
        for _ in range(20):
            try:
                assert await _one(backends.database) == 1
                return
            except UnavailableError:  # it was found to be away, and is found to be there
                await asyncio.sleep(0.1)
        raise AssertionError("it does not come back")


async def test_a_closed_connection_is_made_anew(settings: Settings) -> None:
    database = Database(settings.database_url.get_secret_value(), pool_size=1, timeout_seconds=5)
    try:
        with pytest.raises((UnavailableError, asyncpg.PostgresError)):
            async with database.at_once() as session:
                await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        assert await _one(database) == 1
        async with database.reading() as reading:
            assert (await reading.execute(text("SELECT 2"))).scalar() == 2
    finally:
        await database.close()


async def test_in_a_crowd_nobody_waits_for_ever(settings: Settings) -> None:
    """Each asks again as soon as it is answered: whoever waits must not be passed by whoever has just finished."""
    database = Database(settings.database_url.get_secret_value(), pool_size=2, timeout_seconds=5)
    answers = [0] * 20
    is_over = asyncio.Event()

    async def ask_again_and_again(number: int) -> None:
        while not is_over.is_set():
            await _one(database)
            answers[number] += 1
            if sum(answers) > 2_000:
                is_over.set()

    try:
        await asyncio.gather(*(ask_again_and_again(number) for number in range(len(answers))))
    finally:
        await database.close()
    assert min(answers) * 2 > max(answers), answers


async def test_its_connections_are_the_pools(settings: Settings) -> None:
    """Sessions and statements at once together have no more than the pool, and all are there again afterwards."""
    database = Database(settings.database_url.get_secret_value(), pool_size=4, timeout_seconds=5)
    most = 0

    async def in_a_session() -> None:
        async with database.reading() as session:
            await session.execute(text("SELECT pg_sleep(0.002)"))

    async def at_once() -> None:
        nonlocal most
        async with database.at_once() as session:
            count = await session.execute(text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"))
            most = max(most, count.scalar_one())

    try:
        for _ in range(5):
            await asyncio.gather(*(one() for one in [in_a_session, at_once] * 20))
        assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    finally:
        await database.close()
    assert 0 < most <= 4
