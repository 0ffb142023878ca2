"""The three servers of one machine: PostgreSQL, Valkey for feeds and live events, Valkey for the task queue."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import Self

from app.stack.occupation import FileLock, occupied_error
from app.stack.postgres import EmbeddedPostgres
from app.stack.urls import ServerUrls, remove_env_file, write_env_file
from app.stack.valkey import EmbeddedValkey

_LOCK_SECONDS = 10.0
_LEAST_STOP_SECONDS = 0.3


class EmbeddedServers:
    """The servers below DATA_DIR, apart from those that are `given`: their addresses stand, nothing is started.

    `broker=False` leaves the task queue's server out; `durable=False` gives up durability for speed (tests).
    Start and stop from the main thread (see `ChildProcess`). The addresses are others for every object.
    """

    def __init__(self, data_dir: Path, *, broker: bool = True, durable: bool = True, given: ServerUrls | None = None) -> None:
        self.data_dir = data_dir.absolute()
        self._given = given or ServerUrls()
        self._lock = FileLock(self.data_dir / "servers.lock")
        self._postgres: EmbeddedPostgres | None = None
        self._feeds: EmbeddedValkey | None = None
        self._broker: EmbeddedValkey | None = None
        if not self._given.database_url:
            self._postgres = EmbeddedPostgres(self.data_dir / "postgres", durable=durable)
        if not self._given.redis_url:
            self._feeds = EmbeddedValkey(self.data_dir / "valkey-feeds", "feeds", persistent=False)
        if broker and not self._given.broker_url:
            self._broker = EmbeddedValkey(self.data_dir / "valkey-broker", "broker", persistent=True)

    @property
    def urls(self) -> ServerUrls:
        """The given addresses and those of the started servers."""
        started = ServerUrls(
            self._postgres.url if self._postgres else "",
            self._feeds.url if self._feeds else "",
            self._broker.url if self._broker else "",
        )
        return self._given.or_else(started)

    @property
    def ended(self) -> list[str]:
        """Names of the servers that were started and do not run any more."""
        servers = {"PostgreSQL": self._postgres, "Valkey (feeds)": self._feeds, "Valkey (broker)": self._broker}
        return [name for name, server in servers.items() if server and not server.is_running]

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the started servers by name: `postgres`, `feeds`, `broker`."""
        servers = {"postgres": self._postgres, "feeds": self._feeds, "broker": self._broker}
        return {name: server.pid for name, server in servers.items() if server}

    def start(self) -> None:
        """Returns when all of them answer; what has been started is stopped again if one does not.

        Raises ServerStartError, or DataDirectoryInUseError if another process runs servers in the same folder.
        """
        if not self._lock.take(timeout_seconds=_LOCK_SECONDS):
            raise occupied_error(self.data_dir)
        try:
            for valkey in self._valkeys:
                valkey.launch()
            if self._postgres:
                self._postgres.start()
            for valkey in self._valkeys:
                valkey.wait_until_ready()
        except BaseException:
            self.stop(timeout_seconds=2.0)
            raise

    def revive(self) -> None:
        """Starts again whoever has ended, with the same address unless somebody else has taken the port meanwhile.

        Raises ServerStartError.
        """
        for valkey in self._valkeys:
            if not valkey.is_running:
                valkey.start()
        if self._postgres and not self._postgres.is_running:
            self._postgres.start()

    def stop(self, *, timeout_seconds: float = 10.0) -> None:
        """Valkey first, PostgreSQL last, all within the time; beyond it by force, which loses nothing either."""
        deadline = time.monotonic() + timeout_seconds
        remove_env_file(self.data_dir)
        for valkey in self._valkeys:
            valkey.request_stop()
        for server in (*self._valkeys, self._postgres):
            if server:
                server.stop(timeout_seconds=max(deadline - time.monotonic(), _LEAST_STOP_SECONDS))
        self._lock.release()

    def write_env_file(self) -> None:
        """Leaves the addresses in DATA_DIR/env for other commands; `stop` removes the file."""
        write_env_file(self.data_dir, self.urls)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def _valkeys(self) -> list[EmbeddedValkey]:
        return [valkey for valkey in (self._feeds, self._broker) if valkey]
