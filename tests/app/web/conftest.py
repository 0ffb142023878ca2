"""One database and one web process for each file of tests."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from pydantic import SecretStr

from app.stack.servers import EmbeddedServers
from settings import Settings
from tests.app.web.running_server import RunningServer, run_web


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await connection.execute(statement)
    finally:
        await connection.close(timeout=10)


@pytest.fixture(scope="module")
def web_settings(
    request: pytest.FixtureRequest, servers: EmbeddedServers, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Settings with a fresh database of this file's own."""
    name = f"web_{os.getpid()}_{request.module.__name__.rpartition('.')[2]}"
    url = servers.urls.database_url
    asyncio.run(_execute(url, f"CREATE DATABASE {name} TEMPLATE {template_database} STRATEGY file_copy"))
    yield Settings(
        database_url=SecretStr(urlunsplit(urlsplit(url)._replace(path=f"/{name}"))),
        redis_url=SecretStr(servers.urls.redis_url),
        broker_url=SecretStr(servers.urls.broker_url),
        media_url=SecretStr((tmp_path_factory.getbasetemp() / "media" / name).as_uri()),
        database_pool_size=5,
        redis_timeout_seconds=2.0,
        allowed_origins=("https://front.example",),
    )
    asyncio.run(_execute(url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


@pytest.fixture(scope="module")
async def web(web_settings: Settings) -> AsyncIterator[RunningServer]:
    async with run_web(web_settings) as running:
        yield running
