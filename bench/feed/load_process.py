"""The client, in a process of its own: kept connections, requests written as they were prepared, answers measured and dropped.

Reads its wish (marshalled) from stdin; writes what it found (marshalled) to stdout. It looks for the end of an answer, its
status and the word `errors`, and parses nothing: whatever it does itself is taken from the machine that is measured.
"""

from __future__ import annotations

import asyncio
import marshal
import resource
import sys
import time
from array import array
from collections import deque
from random import Random
from typing import TypedDict, cast

import uvloop

_TICK_SECONDS = 0.001
_DRAIN_SECONDS = 10.0


class Wish(TypedDict):
    """`rate`: requests a second, whether the ones before are answered or not; 0: each connection as fast as it is answered.

    `requests`: whole HTTP requests, of which one is drawn each time; `once`: all of them once instead, in their order.
    """

    port: int
    requests: list[bytes]
    connections: int
    seconds: float
    rate: float
    once: bool
    seed: int


class Findings(TypedDict):
    """`latencies`: seconds; at a rate from the instant at which each was due. `cpu_seconds`: of this process meanwhile."""

    latencies: bytes
    seconds: float
    body_bytes: int
    failures: int
    first_failure: bytes
    cpu_seconds: float


class Load:
    """What all connections share."""

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.random = Random(wish["seed"])
        self.latencies = array("d")
        self.body_bytes = 0
        self.failures = 0
        self.first_failure = b""
        self.until = 0.0
        self.next_once = 0
        self.idle: deque[Connection] = deque()
        self.due: deque[float] = deque()
        self.open = 0
        self.ended = asyncio.get_running_loop().create_future()

    def draw(self) -> bytes | None:
        """The next request; None where there is none."""
        requests = self.wish["requests"]
        if self.wish["once"]:
            if self.next_once == len(requests):
                return None
            self.next_once += 1
            return requests[self.next_once - 1]
        return requests[int(self.random.random() * len(requests))]

    def answered(self, connection: Connection, now: float, *, is_good: bool, answer: bytes, size: int) -> None:
        """Counts an answer and gives the connection its next request."""
        self.latencies.append(now - connection.since)
        self.body_bytes += size
        if not is_good:
            self.failures += 1
            self.first_failure = self.first_failure or answer[:2_000]
        if self.wish["rate"]:
            if self.due:
                self.ask(connection, self.due.popleft())
            else:
                self.idle.append(connection)
        elif now < self.until:
            self.ask(connection, now)
        else:
            self.left(connection)

    def ask(self, connection: Connection, since: float) -> None:
        """Sends the next request; `since`: when it was due."""
        request = self.draw()
        if request is None:
            self.left(connection)
            return
        connection.since = since
        connection.transport.write(request)

    def left(self, connection: Connection) -> None:
        """One connection has nothing more to do."""
        connection.leave()
        self.open -= 1
        if self.open == 0 and not self.ended.done():
            self.ended.set_result(None)

    def lost(self, error: Exception | None) -> None:
        """A connection was closed by the server: while it is in use, that is a failure."""
        if not self.ended.done():
            self.ended.set_exception(error or ConnectionError("the server has closed a connection"))


class Connection(asyncio.Protocol):
    """One kept connection with at most one request under way."""

    transport: asyncio.Transport
    since = 0.0

    def __init__(self, load: Load) -> None:
        self._load = load
        self._parts: list[bytes] = []
        self._has_left = False
        self._missing = -1
        """Bytes until the answer is whole; negative while that is unknown."""

    def leave(self) -> None:
        """Closes it at once."""
        self._has_left = True
        self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._has_left:
            self._load.lost(exc)

    def data_received(self, data: bytes) -> None:
        self._parts.append(data)
        if self._missing > 0:
            self._missing -= len(data)
        else:
            self._find_end()
        if self._missing == 0:
            self._finish()

    def _find_end(self) -> None:
        answer = b"".join(self._parts)
        end = answer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = answer[:end].lower()
        place = head.find(b"content-length:")
        if place >= 0:
            self._missing = int(head[place + 15 :].split(b"\r\n", 1)[0]) + end + 4 - len(answer)
        elif answer.endswith(b"\r\n0\r\n\r\n"):
            self._missing = 0  # the last chunk of an answer in chunks
        self._parts = [answer]

    def _finish(self) -> None:
        now = time.perf_counter()
        answer = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts = []
        self._missing = -1
        is_good = answer.startswith(b"HTTP/1.1 200") and b'"errors"' not in answer
        self._load.answered(self, now, is_good=is_good, answer=answer, size=len(answer) - answer.find(b"\r\n\r\n") - 4)


async def run(wish: Wish) -> Findings:
    """The whole load. Raises OSError where a connection is refused or lost."""
    loop = asyncio.get_running_loop()
    load = Load(wish)
    connections = []
    for _ in range(wish["connections"]):
        _, connection = await loop.create_connection(lambda: Connection(load), "127.0.0.1", wish["port"])
        connections.append(connection)
    load.open = len(connections)
    used = _cpu_seconds()
    began = time.perf_counter()
    load.until = sys.float_info.max if wish["once"] else began + wish["seconds"]
    if wish["rate"]:
        await _send_at_rate(load, connections, began)
    else:
        for connection in connections:
            load.ask(connection, time.perf_counter())
        await load.ended
    seconds = time.perf_counter() - began
    found: Findings = {
        "latencies": load.latencies.tobytes(),
        "seconds": seconds,
        "body_bytes": load.body_bytes,
        "failures": load.failures,
        "first_failure": load.first_failure,
        "cpu_seconds": _cpu_seconds() - used,
    }
    for connection in connections:
        connection.leave()
    return found


async def _send_at_rate(load: Load, connections: list[Connection], began: float) -> None:
    """Independent arrivals (exponential gaps), as of many people; whoever finds no connection free waits, and that counts."""
    load.idle.extend(connections)
    due = began
    while due < load.until:
        now = time.perf_counter()
        while due <= now:
            if load.idle:
                # The one that has rested longest: servers close what rests for too long.
                load.ask(load.idle.popleft(), due)
            else:
                load.due.append(due)
            due += load.random.expovariate(load.wish["rate"])
        if load.ended.done():
            await load.ended
        await asyncio.sleep(_TICK_SECONDS)
    deadline = time.perf_counter() + _DRAIN_SECONDS
    while len(load.idle) < load.wish["connections"] and time.perf_counter() < deadline:
        await asyncio.sleep(_TICK_SECONDS)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    wish: Wish = marshal.loads(sys.stdin.buffer.read())
    sys.stdout.buffer.write(marshal.dumps(dict(uvloop.run(run(wish)))))


if __name__ == "__main__":
    main()
