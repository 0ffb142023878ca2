from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import redis.asyncio

from app.stack.answers import answers
from app.stack.errors import DataDirectoryInUseError
from app.stack.servers import EmbeddedServers
from app.stack.urls import ServerUrls, read_env_file
from tests.app.stack.processes_of import eventually


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServers]:
    with EmbeddedServers(tmp_path_factory.mktemp("running")) as servers:
        yield servers


async def test_postgres_is_18_in_utf8_and_durable(running: EmbeddedServers) -> None:
    connection = await asyncpg.connect(running.urls.database_url, timeout=5)
    try:
        assert int(await connection.fetchval("SHOW server_version_num")) >= 180_000
        assert await connection.fetchval("SHOW server_encoding") == "UTF8"
        assert await connection.fetchval("SHOW fsync") == "on"
        assert await connection.fetchval("SHOW listen_addresses") == "127.0.0.1"
        assert await connection.fetchval("SELECT lower('ÄÖÜ')") == "äöü"
        assert await connection.fetchval("SELECT current_database()") == "tidings"
    finally:
        await connection.close(timeout=5)


async def test_feeds_are_compact_and_kept_nowhere_while_the_queue_is_kept(running: EmbeddedServers) -> None:
    settings = {}
    for name, url in (("feeds", running.urls.redis_url), ("broker", running.urls.broker_url)):
        async with redis.asyncio.from_url(url, decode_responses=True) as client:
            settings[name] = await client.config_get()
    assert settings["feeds"]["zset-max-listpack-entries"] == "600"
    assert settings["feeds"]["appendonly"] == "no"
    assert settings["broker"]["appendonly"] == "yes"
    assert settings["broker"]["maxmemory-policy"] == "noeviction"
    assert settings["feeds"]["bind"] == settings["broker"]["bind"] == "127.0.0.1"


def test_nobody_answers_without_the_password(running: EmbeddedServers) -> None:
    for url in running.urls.as_tuple():
        assert answers(url, timeout_seconds=3)
        scheme, rest = url.split("://", 1)
        user, address = rest.rsplit("@", 1)
        wrong = f"{scheme}://{user.split(':')[0]}:wrong@{address}"
        assert not answers(wrong, timeout_seconds=3)


def test_passwords_stand_on_no_command_line(running: EmbeddedServers) -> None:
    passwords = [url.rsplit("@", 1)[0].rsplit(":", 1)[1] for url in running.urls.as_tuple()]
    for pid in running.pids.values():
        line = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
        assert line
        assert not any(password in line for password in passwords)


def test_a_second_owner_is_refused(running: EmbeddedServers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.stack.servers._LOCK_SECONDS", 0.1)
    with pytest.raises(DataDirectoryInUseError):
        EmbeddedServers(running.data_dir).start()
    assert running.ended == []


def test_env_file_is_private_and_says_where_the_servers_are(running: EmbeddedServers) -> None:
    running.write_env_file()
    file = running.data_dir / "env"
    assert file.stat().st_mode & 0o777 == 0o600
    assert read_env_file(running.data_dir) == running.urls
    assert {line.split("=")[0] for line in file.read_text().splitlines()} == {
        "TIDINGS_DATABASE_URL",
        "TIDINGS_REDIS_URL",
        "TIDINGS_BROKER_URL",
    }


def test_given_servers_are_not_started(tmp_path: Path) -> None:
    given = ServerUrls(database_url="postgresql://somewhere/else", broker_url="redis://elsewhere")
    with EmbeddedServers(tmp_path, given=given) as servers:
        servers.write_env_file()
        assert list(servers.pids) == ["feeds"]
        assert servers.urls.database_url == given.database_url
        assert servers.urls.broker_url == given.broker_url
        pid = servers.pids["feeds"]
    assert not Path(f"/proc/{pid}").exists()
    assert not (tmp_path / "env").exists()
    assert not os.path.exists(tmp_path / "postgres")


def test_folder_names_may_contain_anything(tmp_path: Path) -> None:
    with EmbeddedServers(tmp_path / 'a folder\'s "name" ✓ #1', broker=False, durable=False) as servers:
        assert servers.ended == []


async def test_killed_servers_come_back_at_the_same_addresses_with_what_was_written(tmp_path: Path) -> None:
    with EmbeddedServers(tmp_path, durable=False) as servers:
        urls = servers.urls
        async with redis.asyncio.from_url(urls.broker_url) as client:
            await client.set("job", "1")
        for pid in servers.pids.values():
            os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: servers.ended == ["PostgreSQL", "Valkey (feeds)", "Valkey (broker)"])
        servers.revive()
        assert servers.ended == []
        assert servers.urls == urls
        assert all(answers(url, timeout_seconds=3) for url in urls.as_tuple())
        async with redis.asyncio.from_url(urls.broker_url) as client:
            assert await client.get("job") == b"1"
