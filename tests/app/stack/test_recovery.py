"""What is killed comes back whole: the second start after `kill -9` of everything, and whose processes may be ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import redis.asyncio

from app.stack.servers import EmbeddedServers
from app.stack.urls import ServerUrls, read_env_file
from tests.app.stack.processes_of import eventually, is_alive, processes_below

_HOLD_SERVERS = """
import pathlib, sys, time
from app.stack.servers import EmbeddedServers
with EmbeddedServers(pathlib.Path(sys.argv[1])) as servers:
    servers.write_env_file()
    print(*servers.pids.values(), flush=True)
    time.sleep(600)
"""


async def write_row(urls: ServerUrls) -> None:
    connection = await asyncpg.connect(urls.database_url, timeout=5)
    try:
        await connection.execute("CREATE TABLE kept (n int)")
        await connection.execute("INSERT INTO kept VALUES (7)")
    finally:
        await connection.close(timeout=5)
    async with redis.asyncio.from_url(urls.broker_url) as client:
        await client.set("kept", "7")


async def read_rows(urls: ServerUrls) -> tuple[int, object]:
    connection = await asyncpg.connect(urls.database_url, timeout=5)
    try:
        row = int(await connection.fetchval("SELECT sum(n) FROM kept"))
    finally:
        await connection.close(timeout=5)
    async with redis.asyncio.from_url(urls.broker_url) as client:
        return row, await client.get("kept")


async def test_a_killed_tree_starts_again_at_once(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", _HOLD_SERVERS, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        pids = [int(word) for word in holder.stdout.readline().split()]
        await write_row(read_env_file(tmp_path))
        for pid in (holder.pid, *pids):
            with contextlib.suppress(ProcessLookupError):  # the kernel may have been quicker
                os.kill(pid, signal.SIGKILL)
        with EmbeddedServers(tmp_path) as servers:
            assert await read_rows(servers.urls) == (7, b"7")
            assert not any(is_alive(pid) for pid in pids)
    assert eventually(lambda: not processes_below(tmp_path))


def test_a_lock_file_that_names_a_stranger_or_a_zombie_does_not_stop_a_start(tmp_path: Path) -> None:
    with EmbeddedServers(tmp_path, broker=False, durable=False):
        lines = (tmp_path / "postgres/cluster/postmaster.pid").read_text().splitlines()
    ended = subprocess.Popen(["true"])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # a zombie from here on
    with subprocess.Popen(["sleep", "60"]) as stranger:
        for pid in (stranger.pid, ended.pid):
            (tmp_path / "postgres/cluster/postmaster.pid").write_text("\n".join([str(pid), *lines[1:]]) + "\n")
            with EmbeddedServers(tmp_path, broker=False, durable=False) as servers:
                assert servers.ended == []
        assert stranger.poll() is None
        stranger.kill()
    ended.wait()


def test_a_start_killed_in_the_middle_leaves_nothing_half_made(tmp_path: Path) -> None:
    (tmp_path / "postgres/initdb-halfway/cluster").mkdir(parents=True)
    with EmbeddedServers(tmp_path, broker=False, durable=False) as servers:
        assert servers.ended == []
    assert not list((tmp_path / "postgres").glob("initdb-*"))
