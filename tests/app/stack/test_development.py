"""`tidings dev` as a process: what it prints, what it leaves, and that nothing outlives it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from app.stack.answers import answers
from app.stack.borrowing import servers_of
from app.stack.ports import free_port
from app.stack.servers import EmbeddedServers
from app.stack.urls import read_env_file
from tests.app.stack.processes_of import eventually, is_alive, processes_below
from tests.app.stack.staged_dev import MODULE


class Dev:
    """One running `dev`; its stderr is in a file, so that a full pipe stops nobody."""

    def __init__(self, folder: Path, *arguments: str, env: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.log = folder.parent / f"{folder.name}-{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", MODULE, "dev", str(folder), *arguments],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=os.environ | (env or {}),
            )

    def until_ready(self) -> list[str]:
        assert self.process.stdout
        lines = []
        for line in self.process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("ready: "):
                return lines
        raise AssertionError(self.log.read_text())

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[float, str]:
        """Seconds until it had ended, and what it still wrote to stdout."""
        began = time.monotonic()
        self.process.send_signal(number)
        rest = self.process.communicate(timeout=30)[0]
        return time.monotonic() - began, rest

    def role_pid(self, name: str) -> int | None:
        for pid in processes_below(self.folder):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            if MODULE in words and name == words[words.index(MODULE) + 1]:
                return pid
        return None


@contextmanager
def dev_in(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> Iterator[Dev]:
    dev = Dev(folder, *arguments, env=env)
    try:
        yield dev
    finally:
        dev.process.kill()
        dev.process.communicate()


def serving_pid(address: str) -> int:
    with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:
        return int(json.load(answer)["pid"])


async def starts_in(database_url: str) -> int:
    connection = await asyncpg.connect(database_url, timeout=5)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM starts"))
    finally:
        await connection.close(timeout=5)


async def test_from_start_to_end(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with dev_in(folder) as dev:
        lines = dev.until_ready()
        address = lines[-1].removeprefix("ready: ")
        text = "\n".join(lines)
        assert f"{address}/graphql" in text
        assert "ada" in text
        assert "a-token" in text

        urls = read_env_file(folder)
        assert urls.is_complete
        assert (folder / "env").stat().st_mode & 0o777 == 0o600
        with servers_of(folder) as borrowed:
            assert borrowed == urls

        with dev_in(folder) as second:
            assert second.process.wait(timeout=20) == 1
            assert address in second.log.read_text()

        died = serving_pid(address)
        os.kill(died, signal.SIGKILL)
        assert eventually(lambda: dev.role_pid("serve") not in (None, died))

        # What becomes of a server that somebody kills: it comes back at the same address.
        postmaster = int((folder / "postgres/cluster/postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGKILL)
        assert eventually(lambda: "PostgreSQL ended and is started again" in dev.log.read_text())
        assert eventually(lambda: answers(urls.database_url, timeout_seconds=3))
        assert eventually(lambda: read_env_file(folder) == urls)

        seconds, rest = dev.stop(signal.SIGINT)
        assert dev.process.returncode == 0
        assert seconds <= 5
        assert rest == ""
    assert not (folder / "env").exists()
    assert not processes_below(folder)


@pytest.mark.parametrize("killed", ["everything", "the parent alone"])
async def test_a_second_start_at_once_after_kill_9(tmp_path: Path, killed: str) -> None:
    folder = tmp_path / "data"
    port = str(free_port())
    with dev_in(folder, "--port", port) as first:
        first.until_ready()
        left = processes_below(folder)
        assert len(left) > 10
        for pid in (first.process.pid, *left) if killed == "everything" else (first.process.pid,):
            with contextlib.suppress(ProcessLookupError):  # the kernel may have been quicker
                os.kill(pid, signal.SIGKILL)
        with dev_in(folder, "--port", port) as second:
            assert second.until_ready()[-1] == f"ready: http://127.0.0.1:{port}"
            assert await starts_in(read_env_file(folder).database_url) == 2
            assert not any(is_alive(pid) for pid in left)
            second.stop()
            assert second.process.returncode == 0
    assert not processes_below(folder)


def test_who_does_not_stop_is_killed_in_time(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with dev_in(folder, env={"STAGED_WORKER": "stubborn"}) as dev:
        dev.until_ready()
        seconds, _ = dev.stop()
        assert dev.process.returncode == 0
        assert seconds <= 5
    assert not processes_below(folder)


def test_sigterm_during_the_start_stops_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with dev_in(folder, env={"STAGED_WORKER": "stubborn"}) as dev:
        assert eventually((folder / "postgres/server.log").exists)
        seconds, rest = dev.stop()
        assert dev.process.returncode == 0
        assert seconds <= 5
        assert rest == ""
    assert not processes_below(folder)


def test_a_port_that_is_asked_for_must_be_free(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with dev_in(tmp_path / "data", "--port", str(port)) as dev:
            assert dev.process.wait(timeout=20) == 1
            assert f"port {port} is in use" in dev.log.read_text()


def test_a_role_that_cannot_run_ends_the_start(tmp_path: Path, servers: EmbeddedServers) -> None:
    with dev_in(tmp_path / "data", "--given", servers.urls.database_url, env={"STAGED_BROKEN": "1"}) as dev:
        assert dev.process.wait(timeout=30) == 1
        log = dev.log.read_text()
        assert "serve ended 4 times, last with status 1" in log
        assert "a broken role" in log
    assert not (tmp_path / "data/postgres").exists()
    assert not processes_below(tmp_path / "data")
