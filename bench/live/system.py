"""The whole system with a Redis and an API that can be taken away and come back in the middle."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.stack.ports import LOOPBACK, free_port
from app.stack.processes import ChildProcess
from app.stack.readiness import is_ready
from app.stack.roles import development_roles
from app.stack.servers import EmbeddedServers
from app.stack.supervisor import Role
from app.stack.urls import ServerUrls
from app.stack.valkey import EmbeddedValkey
from migrations.run import upgrade

_READY_SECONDS = 60.0
_STOP_SECONDS = 4.0
_POLL_SECONDS = 0.02
_REDIS_AWAY_SECONDS = 0.5


class RedisReturn(StrEnum):
    """With what Redis comes back after `kill -9`."""

    KEPT = "kept"
    """Its append-only file: all that it had answered."""
    STALE = "stale"
    """A dump taken earlier: time has gone backwards."""
    WIPED = "wiped"
    """Nothing."""


class LiveSystem:
    """Started by `running_live_system`. Whatever ends by itself is started again, as `tidings dev` does."""

    def __init__(self, folder: Path, valkey: EmbeddedValkey, urls: ServerUrls, environment: Mapping[str, str]) -> None:
        self.urls = urls
        self.port = free_port()
        self.poster_port = free_port()
        self._valkey = valkey
        self._log_file = folder / "roles.log"
        self._log: IO[bytes] = self._log_file.open("wb")
        metrics_dir = folder / "metrics"
        metrics_dir.mkdir()
        roles = development_roles(port=self.port, workers=1, urls=urls, metrics_dir=metrics_dir)
        poster = development_roles(port=self.poster_port, workers=0, urls=urls, metrics_dir=metrics_dir)[0]
        self._roles = {role.name: self._with(role, environment) for role in roles}
        self._roles["poster"] = self._with(Role("poster", poster.argv, poster.env), environment)
        self._processes: dict[str, ChildProcess] = {}

    @staticmethod
    def _with(role: Role, environment: Mapping[str, str]) -> Role:
        env = {**role.env, **environment}
        # As `make run` does: a restart without compiled files takes many times longer.
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        return Role(role.name, role.argv, env)

    @property
    def address(self) -> str:
        """Of the API that is measured."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def poster_address(self) -> str:
        """Of the second API process, where one was asked for: mutations there cost the measured one nothing."""
        return f"http://{LOOPBACK}:{self.poster_port}"

    @property
    def api_pid(self) -> int:
        return self._processes["serve"].pid

    def pid_of(self, name: str) -> int:
        """Of a role, as it is at this moment."""
        return self._processes[name].pid

    def kill(self, name: str) -> None:
        """SIGKILL; it is started again at once."""
        process = self._processes[name]
        if process.returncode is None:
            process.send(signal.SIGKILL)

    @property
    def log_text(self) -> str:
        """What API, relay and worker have logged."""
        return self._log_file.read_text(errors="replace")

    def start(self, name: str) -> None:
        role = self._roles[name]
        self._processes[name] = ChildProcess(role.argv, name=name, env=role.env, stdout=self._log, stderr=self._log)

    def tend(self) -> None:
        """Starts again who has ended."""
        for name, process in list(self._processes.items()):
            if process.returncode is not None:
                self.start(name)

    async def wait_until_ready(self, port: int | None = None) -> None:
        """Raises RuntimeError where the API does not answer in time."""
        deadline = time.monotonic() + _READY_SECONDS
        while not await is_ready(port or self.port):
            if time.monotonic() > deadline:
                raise RuntimeError("the API did not become ready")
            await asyncio.sleep(_POLL_SECONDS)

    async def restart_api(self) -> float:
        """SIGTERM, the end, and a new process on the same port. Returns the seconds until that one is ready."""
        began, process = time.monotonic(), self._processes["serve"]
        process.send(signal.SIGTERM)
        while self._processes["serve"] is process:
            await asyncio.sleep(_POLL_SECONDS)
        await self.wait_until_ready()
        return time.monotonic() - began

    async def keep_redis_dump(self) -> None:
        """What a STALE return will bring back."""
        async with Redis.from_url(self.urls.redis_url) as redis:
            await redis.execute_command("SAVE")  # type: ignore[no-untyped-call]

    async def restart_redis(self) -> float:
        """`kill -9`, a moment without, and a new process on the same port. Returns the seconds of its absence."""
        began = time.monotonic()
        os.kill(self._valkey.pid, signal.SIGKILL)
        while self._valkey.is_running:
            await asyncio.sleep(_POLL_SECONDS)
        await asyncio.sleep(_REDIS_AWAY_SECONDS)
        self._valkey.start()
        return time.monotonic() - began

    async def kill_pubsub(self) -> bool:
        """Cuts every pub/sub connection. False where Redis is away."""
        try:
            async with Redis.from_url(self.urls.redis_url, socket_timeout=1, socket_connect_timeout=1) as redis:
                await redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # type: ignore[no-untyped-call]
        except (RedisError, OSError, TimeoutError):
            return False
        return True

    def stop(self) -> None:
        for process in self._processes.values():
            process.send(signal.SIGTERM)
        for process in self._processes.values():
            process.stop(timeout_seconds=_STOP_SECONDS)
        self._log.close()


@asynccontextmanager
async def running_live_system(
    folder: Path,
    *,
    environment: Mapping[str, str],
    redis_return: RedisReturn = RedisReturn.WIPED,
    database_url: str = "",
    roles: Iterable[str] = ("serve", "relay", "worker 1"),
) -> AsyncIterator[LiveSystem]:
    """API, relay and worker (and `poster`, a second API) in `folder`, with servers of their own apart from a given, migrated
    `database_url`. Main thread only."""
    valkey = EmbeddedValkey(folder / "valkey-live", "live", persistent=redis_return is RedisReturn.KEPT)
    valkey.start()
    try:
        given = ServerUrls(database_url=database_url, redis_url=valkey.url)
        with EmbeddedServers(folder, given=given) as servers:
            if not database_url:
                await upgrade(servers.urls.database_url)
            system = LiveSystem(folder, valkey, servers.urls, {"TIDINGS_LOG_LEVEL": "warning", **environment})
            tending = asyncio.create_task(_tend(system))
            try:
                for name in roles:
                    system.start(name)
                await system.wait_until_ready()
                if "poster" in roles:
                    await system.wait_until_ready(system.poster_port)
                yield system
            finally:
                tending.cancel()
                system.stop()
    finally:
        valkey.stop()


async def _tend(system: LiveSystem) -> None:
    while True:
        await asyncio.sleep(_POLL_SECONDS)
        system.tend()
