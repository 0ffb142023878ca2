"""A migrated PostgreSQL database for each test, cloned from a template, and the backends on it."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from pydantic import SecretStr

from app.stack.servers import EmbeddedServers
from bootstrap import open_backends
from migrations.run import upgrade
from services.backends import Backends
from settings import Settings
from tests.world import World

TEMPLATE = "tidings_template"
_numbers = itertools.count(1)


def _at(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def _run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await connection.execute(statement)
    finally:
        await connection.close(timeout=10)


@pytest.fixture(scope="session")
def template_database(servers: EmbeddedServers) -> str:
    """The name of a migrated, empty database."""
    url = servers.urls.database_url
    asyncio.run(_run(url, f"CREATE DATABASE {TEMPLATE}"))
    asyncio.run(upgrade(_at(url, TEMPLATE)))
    return TEMPLATE


@pytest.fixture(scope="session")
def template_url(servers: EmbeddedServers, template_database: str) -> str:
    """Its address: to copy from, never to connect to."""
    return _at(servers.urls.database_url, template_database)


@pytest.fixture
def database_url(servers: EmbeddedServers, template_database: str) -> Iterator[str]:
    """A fresh, migrated database of this test's own."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    asyncio.run(_run(servers.urls.database_url, f"CREATE DATABASE {name} TEMPLATE {template_database} STRATEGY file_copy"))
    yield _at(servers.urls.database_url, name)
    asyncio.run(_run(servers.urls.database_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


@pytest.fixture
def settings(servers: EmbeddedServers, database_url: str) -> Settings:
    """Settings that point to this test's database; small numbers, so that limits are met."""
    return Settings(
        database_url=SecretStr(database_url),
        redis_url=SecretStr(servers.urls.redis_url),
        broker_url=SecretStr(servers.urls.broker_url),
        database_pool_size=5,
        redis_timeout_seconds=2.0,
        database_timeout_seconds=10.0,
    )


@asynccontextmanager
async def backends_with(settings: Settings, **changes: object) -> AsyncIterator[Backends]:
    """Backends under changed settings."""
    async with open_backends(settings.model_copy(update=changes)) as opened:
        yield opened


@pytest.fixture
async def backends(settings: Settings) -> AsyncIterator[Backends]:
    async with open_backends(settings) as opened:
        yield opened


@pytest.fixture
async def world(backends: Backends) -> World:
    """People and posts by name."""
    return World(backends)
