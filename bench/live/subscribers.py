"""Subscribers that are cut off all the time and resume with the last cursor they took: in Python, and the npm client."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import shutil
import socket
import struct
import subprocess
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from bench.live.operations import SUBPROTOCOL, SUBSCRIPTIONS, first_code, init_message, subscribe_message

NODE_FOLDER = Path(__file__).resolve().parents[1] / "node"
_OPEN_SECONDS = 30.0
_LONGEST_PAUSE_SECONDS = 0.2
_AFTER_ERROR_SECONDS = 0.5
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


@dataclass
class Record:
    """What one subscriber has taken, over all its connections. `arrived`: monotonic seconds, beside `posts`."""

    client: str
    posts: list[str] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)
    connections: int = 0
    cuts: int = 0
    resets: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)

    def note(self, kind: str, post_id: str | None) -> None:
        """One event by its type."""
        if kind == "PostAdded" and post_id is not None:
            self.posts.append(post_id)
            self.arrived.append(time.monotonic())
        elif kind == "FeedReset":
            self.resets += 1
        else:
            self.others[kind] += 1

    def note_error(self, code: str) -> None:
        self.errors[code] += 1
        self.resets += code == "FEED_RESET"


@dataclass(frozen=True)
class Subscription:
    """What a subscriber needs. `fresh_cursor`: to go on after a reset. `cut_seconds`: between cuts, in the mean; 0: none."""

    address: str
    token: str
    field: str
    after: str
    cut_seconds: float
    seed: int
    fresh_cursor: Callable[[], Awaitable[str]]

    @property
    def url(self) -> str:
        return f"{self.address.replace('http', 'ws', 1)}/graphql"


class PythonSubscriber:
    """One account's subscription, made again and again until `stop`."""

    def __init__(self, subscription: Subscription) -> None:
        self.record = Record("python")
        self._wanted = subscription
        self._cursor = subscription.after
        self._chance = random.Random(subscription.seed)
        self._task: asyncio.Task[None] | None = None
        self._is_cut = subscription.cut_seconds > 0

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def leave_alone(self) -> None:
        """No more cuts."""
        self._is_cut = False

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                await self._connect_and_take()
            await asyncio.sleep(self._chance.uniform(0, _LONGEST_PAUSE_SECONDS))

    async def _connect_and_take(self) -> None:
        async with connect(
            self._wanted.url,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            open_timeout=_OPEN_SECONDS,
            close_timeout=1,
        ) as connection:
            await connection.send(json.dumps(init_message(self._wanted.token)))
            async with asyncio.timeout(_OPEN_SECONDS):
                while (message := json.loads(await connection.recv()))["type"] != "connection_ack":
                    await self._answer(connection, message)
            self.record.connections += 1
            await connection.send(json.dumps(subscribe_message(self._wanted.field, self._cursor)))
            cutting = asyncio.create_task(self._cut(connection))
            try:
                while True:
                    message = json.loads(await connection.recv())
                    if not await self._take(connection, message):
                        return
            finally:
                cutting.cancel()

    async def _take(self, connection: ClientConnection, message: dict[str, Any]) -> bool:
        """False: the subscription is over, and to be made again."""
        match message["type"]:
            case "next" if not message["payload"].get("errors"):
                event = message["payload"]["data"][self._wanted.field]
                self._cursor = event["cursor"]
                self.record.note(event["__typename"], event.get("edge", {}).get("node", {}).get("id"))
                return True
            case "next" | "error" as kind:
                code = first_code(message["payload"] if kind == "error" else message["payload"]["errors"])
                self.record.note_error(code)
                if code == "FEED_RESET":
                    self._cursor = await self._wanted.fresh_cursor()
                await asyncio.sleep(_AFTER_ERROR_SECONDS)
                return False
            case "complete":
                return False
            case _:
                await self._answer(connection, message)
                return True

    async def _answer(self, connection: ClientConnection, message: dict[str, Any]) -> None:
        if message["type"] == "ping":
            await connection.send('{"type":"pong"}')

    async def _cut(self, connection: ClientConnection) -> None:
        """Without a word: the TCP connection ends, half of the times with a reset."""
        if self._is_cut:
            await asyncio.sleep(self._chance.expovariate(1 / self._wanted.cut_seconds))
        if not self._is_cut:
            return
        if self._chance.randrange(2):
            connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
        self.record.cuts += 1
        connection.transport.abort()


def why_no_node() -> str | None:
    """Why the npm client cannot run here; None where it can."""
    if shutil.which("node") is None:
        return "there is no Node.js"
    if not (NODE_FOLDER / "node_modules" / "graphql-ws").is_dir():
        return "`npm ci` has not been run in bench/node"
    return None


class NodeSubscriber:
    """The `graphql-ws` package, in a process of its own."""

    def __init__(self, subscription: Subscription) -> None:
        self.record = Record("graphql-ws")
        self._wanted = subscription
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            "node", str(NODE_FOLDER / "subscriber.js"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdin is not None
        wanted = self._wanted
        configuration = {"url": wanted.url, "token": wanted.token, "field": wanted.field, "query": SUBSCRIPTIONS[wanted.field]}
        line = json.dumps(configuration | {"after": wanted.after, "cutSeconds": wanted.cut_seconds})
        self._process.stdin.write(f"{line}\n".encode())
        self._reading = asyncio.create_task(self._read())

    def leave_alone(self) -> None:
        """No more cuts."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(b"no more cuts\n")

    async def stop(self) -> None:
        assert self._process is not None
        assert self._reading is not None
        self._reading.cancel()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said = json.loads(line)
            match said["kind"]:
                case "open":
                    self.record.connections += 1
                case "cut":
                    self.record.cuts += 1
                case "error":
                    self.record.note_error(said["code"])
                case kind:
                    self.record.note(kind, said.get("id"))
        self.record.note_error("the client has ended")
