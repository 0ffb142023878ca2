"""The real processes of Tidings, called as `tidings dev` calls them, on servers and settings of a test's own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from app.stack.ports import LOOPBACK, free_port
from app.stack.processes import ChildProcess
from app.stack.readiness import is_ready
from app.stack.roles import development_roles
from app.stack.supervisor import Role
from app.stack.urls import ServerUrls

_READY_SECONDS = 30.0
_STOP_SECONDS = 5.0
_STDERR = 2


class RoleProcesses:
    """Starts `serve`, `relay` and `worker 1`. `environment`: settings that differ from the defaults."""

    def __init__(self, urls: ServerUrls, metrics_dir: Path, environment: Mapping[str, str]) -> None:
        self.port = free_port()
        roles = development_roles(port=self.port, workers=1, urls=urls, metrics_dir=metrics_dir)
        self._roles = {role.name: Role(role.name, role.argv, {**role.env, **environment}) for role in roles}
        self._processes: dict[str, ChildProcess] = {}

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def start(self, name: str) -> None:
        """Starts a process, without waiting until it works. Main thread only."""
        role = self._roles[name]
        self._processes[name] = ChildProcess(role.argv, name=name, env=role.env, stdout=_STDERR)

    def kill(self, name: str) -> None:
        """SIGKILL, and the reaping."""
        self._processes.pop(name).kill()

    async def wait_until_ready(self) -> None:
        """Waits until `serve` answers. Raises AssertionError where it does not in time."""
        deadline = time.monotonic() + _READY_SECONDS
        while not await is_ready(self.port):
            assert time.monotonic() < deadline, "the API did not become ready"
            await asyncio.sleep(0.05)

    def stop(self) -> None:
        for process in self._processes.values():
            process.stop(timeout_seconds=_STOP_SECONDS)
        self._processes.clear()


@asynccontextmanager
async def running_roles(
    urls: ServerUrls, metrics_dir: Path, *names: str, environment: Mapping[str, str]
) -> AsyncIterator[RoleProcesses]:
    """The named processes, at work until the block ends."""
    metrics_dir.mkdir(exist_ok=True)
    processes = RoleProcesses(urls, metrics_dir, environment)
    try:
        for name in names:
            processes.start(name)
        if "serve" in names:
            await processes.wait_until_ready()
        yield processes
    finally:
        processes.stop()
