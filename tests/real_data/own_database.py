"""Databases and Redis databases that belong to one proof alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_hex
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from app.stack.urls import ServerUrls
from migrations.run import upgrade

_DEADLINE_SECONDS = 60


@asynccontextmanager
async def own_database(server_url: str) -> AsyncIterator[str]:
    """The address of a fresh, migrated database; it is dropped afterwards."""
    name = f"real_{token_hex(6)}"
    await _run(server_url, f"CREATE DATABASE {name}")
    url = _at(server_url, name)
    try:
        await upgrade(url)
        yield url
    finally:
        await _run(server_url, f"DROP DATABASE {name} WITH (FORCE)")


def urls_of(shared: ServerUrls, database_url: str, *, redis_number: int) -> ServerUrls:
    """The database with two Redis databases that no other test uses: accounts of imported copies have the same ids."""
    number = str(redis_number)
    return ServerUrls(database_url, _at(shared.redis_url, number), _at(shared.broker_url, number))


def _at(url: str, path: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{path}"))


async def _run(url: str, statement: str) -> None:
    async with asyncio.timeout(_DEADLINE_SECONDS):
        connection = await asyncpg.connect(url, timeout=_DEADLINE_SECONDS)
        try:
            await connection.execute(statement)
        finally:
            await connection.close(timeout=_DEADLINE_SECONDS)
