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
_spare: list[str] = []
_shapes: dict[str, str] = {}

_LEAVE_ALONE = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# Whatever a test may have altered beside rows. Those of `deployment` and of Alembic are part of what was migrated.
_SHAPE = """
    SELECT md5(string_agg(line, ' ' ORDER BY line)) FROM (
      SELECT concat_ws(':', c.relname, c.relkind, c.relpersistence, c.reloptions) FROM pg_class c
      WHERE c.relnamespace = 'public'::regnamespace
      UNION ALL SELECT concat_ws(':', attrelid::regclass, attname, atttypid, attnotnull, pg_get_expr(d.adbin, d.adrelid))
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
      LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
      WHERE c.relnamespace = 'public'::regnamespace AND NOT attisdropped AND attnum > 0
      UNION ALL SELECT concat_ws(':', conname, pg_get_constraintdef(oid)) FROM pg_constraint
      WHERE connamespace = 'public'::regnamespace
      UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
      UNION ALL SELECT concat_ws(':', proname, prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      UNION ALL SELECT concat_ws(':', tgname, tgrelid::regclass) FROM pg_trigger WHERE NOT tgisinternal
      UNION ALL SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%'
      UNION ALL SELECT version_num FROM alembic_version
      UNION ALL SELECT datname || ':' || array_to_string(setconfig, ',') FROM pg_db_role_setting
        JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database()
    ) AS shape(line)
"""
_EMPTY = """
    DO $$
    DECLARE one regclass;
    BEGIN
      SET LOCAL session_replication_role = replica;
      FOR one IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
        AND c.relname NOT IN ('alembic_version', 'deployment')
      LOOP
        IF pg_relation_size(one) > 1000000 THEN
          EXECUTE format('TRUNCATE %s CASCADE', one);
        ELSE
          EXECUTE format('DELETE FROM %s', one);
        END IF;
      END LOOP;
      FOR one IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'S' LOOP
        EXECUTE format('ALTER SEQUENCE %s RESTART', one);
      END LOOP;
      DELETE FROM deployment;
      INSERT INTO deployment (identity) SELECT substr(md5(random()::text || clock_timestamp()::text), 1, 8);
    END $$
"""


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
    """A migrated database of this test's own, empty. Making one takes ten times as long as emptying one."""
    server = servers.urls.database_url
    url = _spare.pop() if _spare else asyncio.run(_make(server, template_database))
    yield url
    if asyncio.run(_empty(url, _at(server, template_database))):
        _spare.append(url)
    else:
        asyncio.run(_run(server, f"DROP DATABASE IF EXISTS {urlsplit(url).path[1:]} WITH (FORCE)"))


async def _make(server: str, template: str) -> str:
    name = f"test_{os.getpid()}_{next(_numbers)}"
    await _run(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    return _at(server, name)


async def _empty(url: str, template: str) -> bool:
    """Makes it as good as new, but for its statistics; False where the test has altered more than rows."""
    try:
        connection = await asyncpg.connect(url, timeout=10)
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return False
    try:
        await connection.execute(_LEAVE_ALONE)
        if await connection.fetchval(_SHAPE) != await _shape_of(template):
            return False
        await connection.execute(_EMPTY, timeout=30)
        return True
    except (asyncpg.PostgresError, TimeoutError):
        return False
    finally:
        await connection.close(timeout=10)


async def _shape_of(template: str) -> str:
    if template not in _shapes:
        connection = await asyncpg.connect(template, timeout=10)
        try:
            _shapes[template] = await connection.fetchval(_SHAPE)
        finally:
            # Nobody can copy a database that somebody is connected to.
            await connection.close(timeout=10)
    return _shapes[template]


@pytest.fixture
def settings(servers: EmbeddedServers, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings that point to this test's database. Without limits on use, which have tests of their own: scenes say the same
    thing over and over, and follow back and forth."""
    return Settings(
        database_url=SecretStr(database_url),
        redis_url=SecretStr(servers.urls.redis_url),
        broker_url=SecretStr(servers.urls.broker_url),
        # Made by who writes first: a folder for each test would cost more than most tests.
        media_url=SecretStr((tmp_path_factory.getbasetemp() / "media" / str(next(_numbers))).as_uri()),
        database_pool_size=5,
        redis_timeout_seconds=2.0,
        database_timeout_seconds=10.0,
        limits="off",
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
