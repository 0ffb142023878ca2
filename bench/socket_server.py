"""The web process's sockets without the rest, in a process of their own: `python -m bench.socket_server`.

Everything from the transport to the sinks is the real thing; accounts are made up, and instead of the hub there is `StubHub`,
which puts the same event into all sinks, each with a cursor of its own. Commands come as lines of JSON on stdin, answers go to
stdout; the first line is the port.
"""

from __future__ import annotations

import asyncio
import fcntl
import gc
import json
import resource
import struct
import sys
import termios
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette

from app.authentication.claims import Claims
from app.authentication.tokens import TokenVerifier
from app.client_address import ClientAddresses
from app.deadline import Deadline
from app.live_sockets import LiveSockets
from app.serve import server_config
from app.socket_protocol import SocketProtocol
from app.watchdog import Watchdog
from app.web import GC_THRESHOLDS
from app.web_state import STATE, WebState
from domain.limits import BudgetLeft
from domain.records import UserRecord
from logs import configure_logs
from resolvers.context import OperationContext
from schema.execution import Engine, Operation
from schema.live import LiveSink, LiveSubscription
from settings import DEVELOPMENT_JWT_SECRET, Settings

OPEN_FILES = 20_000
_EVENT = (
    b'{"data":{"newPosts":{"cursor":"',
    b'","edge":{"cursor":"',
    b'","node":{"id":"UG9zdDo3MjExNDM2ODUwNDQzNDY4ODA","text":"' + b"A post of some length, as posts are. " * 4 + b'",'
    b'"createdAt":"2026-11-21T12:00:00.000000+00:00","author":{"id":"VXNlcjo3MjExNDM2ODUwNDQz","username":"somebody",'
    b'"displayName":"Somebody"}}}}}}',
)


class StubHub:
    """Puts one event after the other into all sinks that have room."""

    def __init__(self) -> None:
        self.sinks: dict[StubSubscription, LiveSink] = {}

    def put_all(self, cursor: bytes) -> int:
        put = 0
        head, middle, tail = _EVENT
        for sink in self.sinks.values():
            if sink.has_room:
                sink.put(b"".join((head, cursor, middle, cursor, tail)), None)
                put += 1
        return put


class StubSubscription:
    """One of them."""

    __slots__ = ("_hub",)

    def __init__(self, hub: StubHub) -> None:
        self._hub = hub

    def go_on(self) -> None:
        pass

    def say_goodbye(self) -> None:
        self._hub.sinks[self].put(b'{"data":{"newPosts":{"cursor":"the last one"}}}', None)

    def close(self) -> None:
        self._hub.sinks.pop(self, None)


@dataclass(frozen=True, slots=True)
class StubState(WebState):
    """The state of a process without PostgreSQL and Redis."""

    hub: StubHub

    async def load_viewer(self, claims: Claims | None) -> UserRecord | None:
        assert claims is not None
        name = claims.subject
        made = datetime.now(UTC)
        return UserRecord(int(name), name, name, name, "", None, False, False, False, False, made, 0, 0, 0)

    async def open_context(
        self, claims: Claims | None, *, resume_after: str | None = None, is_looked_at: bool = True
    ) -> OperationContext:
        return cast("OperationContext", None)

    async def charge(self, operation: Operation, claims: Claims | None, address: str | None) -> list[BudgetLeft]:
        return []

    async def watch(self, operation: Operation, context: OperationContext, sink: LiveSink) -> LiveSubscription:
        subscription = StubSubscription(self.hub)
        self.hub.sinks[subscription] = sink
        return subscription


def main() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    settings = Settings(limits="off")
    configure_logs(settings)
    hub = StubHub()
    missing = cast("Any", None)
    state = StubState(
        settings=settings,
        backends=missing,
        verifier=TokenVerifier(DEVELOPMENT_JWT_SECRET, "", "", ""),
        live_hub=missing,
        post_counts=missing,
        notifications=missing,
        engine=Engine(has_introspection=True),
        sockets=LiveSockets(),
        deadline=Deadline(),
        watchdog=Watchdog(),
        addresses=ClientAddresses(),
        activity=missing,
        requests=missing,
        newest_revision="",
        is_draining=lambda: False,
        hub=hub,
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, WebState]]:
        commands = asyncio.get_running_loop().create_task(_obey(server, hub))
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        yield {STATE: state}
        commands.cancel()

    config = server_config(settings, Starlette(lifespan=lifespan), "127.0.0.1", 0)
    listener = config.bind_socket()
    server = uvicorn.Server(config)
    _say(listener.getsockname()[1])
    server.run([listener])


def _say(answer: object) -> None:
    print(json.dumps(answer), flush=True)


async def _obey(server: uvicorn.Server, hub: StubHub) -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        command, *numbers = line.decode().split()
        if command == "stats":
            _say(_stats(server, hub))
        elif command == "pour":
            _say(await _pour(hub, events=int(numbers[0]), per_second=float(numbers[1]), burst=int(numbers[2])))
        elif command == "port":
            _say(server.servers[0].sockets[0].getsockname()[1])
        elif command == "collect":
            gc.collect()
            _say("collected")
    server.should_exit = True


def _stats(server: uvicorn.Server, hub: StubHub) -> dict[str, int]:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    sockets = [each for each in server.server_state.connections if isinstance(each, SocketProtocol)]
    return {
        "rss": pages * resource.getpagesize(),
        "sockets": len(sockets),
        "sinks": len(hub.sinks),
        "tasks": len(asyncio.all_tasks()),
        "held": max(map(_held_bytes, sockets), default=0),
    }


def _held_bytes(socket: SocketProtocol) -> int:
    """What waits for the client: in this process and in the kernel's send buffer."""
    transport = socket._transport
    if transport.is_closing():
        return 0
    unsent = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, b"\0" * 4)
    return int(transport.get_write_buffer_size()) + int(struct.unpack("i", unsent)[0])


async def _pour(hub: StubHub, *, events: int, per_second: float, burst: int) -> dict[str, Any]:
    """Puts events, `burst` at a time, at fixed instants, or as fast as it goes where these cannot be kept.

    Says when each was put (monotonic seconds), how often there was room, and what CPU seconds the whole process took.
    """
    began, began_cpu = time.monotonic(), time.process_time()
    instants: list[float] = []
    put = 0
    for number in range(events):
        if number % burst == 0:
            await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
        instants.append(time.monotonic())
        put += hub.put_all(b"%08d" % number * 12)
    await asyncio.sleep(0.05)
    return {"put": put, "instants": instants, "cpu": time.process_time() - began_cpu}


if __name__ == "__main__":
    main()
