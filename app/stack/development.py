"""`tidings dev`: the whole system on one machine, from the servers to the line `ready: …`, and down again."""

from __future__ import annotations

import asyncio
import logging
import shutil
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.stack.errors import StackError
from app.stack.occupation import Occupation, occupied_error, read_occupant
from app.stack.ports import LOOPBACK, is_free, next_free_port
from app.stack.readiness import is_ready
from app.stack.roles import development_roles
from app.stack.servers import EmbeddedServers
from app.stack.supervisor import Role, Supervisor
from app.stack.urls import ServerUrls
from app.stack.welcome import welcome

_log = logging.getLogger(__name__)

_DEFAULT_PORT = 8_000
_TEND_SECONDS = 0.1
_READY_SECONDS = 60.0
_READY_POLL_SECONDS = 0.03
_HOPELESS_FAILURES = 4
_SHORT_COMMAND_SECONDS = 15.0
_PORT_RELEASE_SECONDS = 5.0
# Together below the 5 s that are promised for the whole stop.
_CANCEL_SECONDS = 0.5
_ROLES_STOP_SECONDS = 2.2
_SERVERS_STOP_SECONDS = 1.2


@dataclass(frozen=True)
class Steps:
    """What `dev` has done by others: the schema, the demo world, the ready-made token as (username, token)."""

    migrate: Callable[[str], Awaitable[None]]
    seed_if_empty: Callable[[ServerUrls], Awaitable[None]]
    development_token: Callable[[ServerUrls], Awaitable[tuple[str, str]]]


@dataclass(frozen=True)
class Options:
    """What the caller of `dev` wants. `port=None`: 8000 or the next free one. `given`: servers that others run."""

    data_dir: Path
    port: int | None = None
    demo: bool = True
    workers: int = 1
    given: ServerUrls = field(default_factory=ServerUrls)


RolesOf = Callable[[int, ServerUrls, Path], Sequence[Role]]


async def run(options: Options, steps: Steps, *, roles_of: RolesOf | None = None) -> None:
    """Runs everything until SIGINT, SIGTERM or SIGHUP, then stops it within 5 s. Main thread only.

    Raises StackError when it cannot start: folder in use, port taken, a server or a role that does not come up.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    with Occupation(options.data_dir) as occupation:
        released_port = await _occupy(occupation, options, stop)
        if stop.is_set():
            return
        port = await _choose_port(options.port, released_port)
        occupation.announce("dev", f"http://{LOOPBACK}:{port}")
        servers = EmbeddedServers(options.data_dir, given=options.given)
        development = _Development(options, steps, port, servers, roles_of or _roles_of(options))
        await _until_stopped(development, stop)
        # An empty record tells the next start that nothing is left to wait for.
        occupation.write("")


async def _until_stopped(development: _Development, stop: asyncio.Event) -> None:
    work = asyncio.create_task(development.run())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        work.cancel()
        await asyncio.wait({work}, timeout=_CANCEL_SECONDS)
        development.stop()
    if work.done() and not work.cancelled() and (error := work.exception()) and not stop.is_set():
        raise error


class _Development:
    def __init__(self, options: Options, steps: Steps, port: int, servers: EmbeddedServers, roles_of: RolesOf) -> None:
        self._options = options
        self._steps = steps
        self._port = port
        self._servers = servers
        self._roles_of = roles_of
        self._supervisor = Supervisor()
        self._metrics_dir = servers.data_dir / "metrics"

    async def run(self) -> None:
        self._servers.start()
        urls = self._servers.urls
        await self._steps.migrate(urls.database_url)
        if self._options.demo:
            await self._steps.seed_if_empty(urls)
        self._servers.write_env_file()
        self._start_roles()
        username, token = await self._steps.development_token(urls)
        await self._become_ready()
        address = f"http://{LOOPBACK}:{self._port}"
        sys.stdout.write(f"{welcome(address, username, token, sys.stdout.encoding)}ready: {address}\n")
        sys.stdout.flush()
        while True:
            await asyncio.sleep(_TEND_SECONDS)
            self._supervisor.tend()
            self._tend_servers()

    def stop(self) -> None:
        self._supervisor.stop(timeout_seconds=_ROLES_STOP_SECONDS)
        self._servers.stop(timeout_seconds=_SERVERS_STOP_SECONDS)

    def _start_roles(self) -> None:
        # The metric files of processes that are gone would be counted for ever.
        shutil.rmtree(self._metrics_dir, ignore_errors=True)
        self._metrics_dir.mkdir(mode=0o700)
        self._supervisor.start(self._roles_of(self._port, self._servers.urls, self._metrics_dir))

    async def _become_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not await is_ready(self._port):
            self._supervisor.tend()
            if reason := self._supervisor.failing(_HOPELESS_FAILURES):
                raise StackError(reason)
            if time.monotonic() >= deadline:
                raise StackError(f"http://{LOOPBACK}:{self._port}/readyz did not answer 200 within {_READY_SECONDS:.0f} s")
            await asyncio.sleep(_READY_POLL_SECONDS)

    def _tend_servers(self) -> None:
        ended = self._servers.ended
        if not ended:
            return
        _log.error("%s ended and is started again", ", ".join(ended))
        before = self._servers.urls
        self._servers.revive()
        if self._servers.urls != before:
            # Somebody took the port meanwhile: the roles must learn the new address.
            self._supervisor.stop(timeout_seconds=_ROLES_STOP_SECONDS)
            self._start_roles()
            self._servers.write_env_file()


def _roles_of(options: Options) -> RolesOf:
    def roles_of(port: int, urls: ServerUrls, metrics_dir: Path) -> Sequence[Role]:
        return development_roles(
            port=port, workers=options.workers, urls=urls, metrics_dir=metrics_dir, media_dir=options.data_dir / "media"
        )

    return roles_of


async def _occupy(occupation: Occupation, options: Options, stop: asyncio.Event) -> int | None:
    """Takes the folder; waits for short commands that keep it. Returns the port of a predecessor that was killed."""
    deadline = time.monotonic() + _SHORT_COMMAND_SECONDS
    while not occupation.try_take():
        if read_occupant(options.data_dir).command == "dev" or time.monotonic() >= deadline:
            raise occupied_error(options.data_dir)
        await asyncio.sleep(_TEND_SECONDS)
        if stop.is_set():
            return None
    predecessor = read_occupant(options.data_dir).url
    return int(predecessor.rsplit(":", 1)[1]) if predecessor else None


async def _choose_port(wanted: int | None, released_port: int | None) -> int:
    """The wanted port, else the next free one. A killed predecessor's port needs a moment to be free."""
    first = wanted or _DEFAULT_PORT
    deadline = time.monotonic() + (_PORT_RELEASE_SECONDS if first == released_port else 0.0)
    while not is_free(first) and time.monotonic() < deadline:  # noqa: ASYNC110 - nor of a port
        await asyncio.sleep(_TEND_SECONDS)
    if wanted is None:
        return next_free_port(first)
    if not is_free(wanted):
        raise StackError(f"port {wanted} is in use: choose another with --port, or leave it out for the next free one")
    return wanted
