"""What sockets cost and carry: `python -m bench.sockets [--idle 10000] [--busy 2000] [--seconds 10]`.

The server is the real protocol, from the transport to the sinks, with a stub in the hub's place (`bench.socket_server`): what
is measured is this layer alone. Clients are bare transports in a process of their own on the same machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from bench.table import percentile, print_table

_SETTLE_SECONDS = 1.0
_GONE_SECONDS = 30.0
_STEADY = 25
_AT_ONCE = 1_000_000


class Process:
    """A process that obeys lines and answers with lines of JSON."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", *arguments]
        self.popen = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def begin(self, *words: object) -> None:
        _pipe(self.popen.stdin).write(" ".join(map(str, words)) + "\n")
        _pipe(self.popen.stdin).flush()

    def answer(self) -> Any:
        return json.loads(_pipe(self.popen.stdout).readline())

    def do(self, *words: object) -> Any:
        self.begin(*words)
        return self.answer()

    def stop(self) -> None:
        _pipe(self.popen.stdin).close()
        self.popen.wait(20)


def _pipe(end: IO[str] | None) -> IO[str]:
    assert end is not None
    return end


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--idle", type=int, default=10_000, help="sockets that only wait")
    parser.add_argument("--busy", type=int, default=2_000, help="sockets that get events")
    parser.add_argument("--seconds", type=float, default=10.0, help="of pouring events")
    parser.add_argument("--parts", nargs="*", default=["idle", "pour", "event", "stalled"], help="what to measure")
    options = parser.parse_args()
    parts = {
        "idle": lambda: _idle(options.idle),
        "pour": lambda: _pour(options.busy, options.seconds),
        "event": lambda: _one_event(1_000),
        "stalled": lambda: _one_that_does_not_read(200),
    }
    rows = [row for name in options.parts for row in parts[name]()]
    print_table(["", "figure", "unit"], rows)


@contextmanager
def _server_with(sockets: int) -> Iterator[tuple[Process, Process, float]]:
    server = Process("bench.socket_server")
    clients = Process("bench.socket_clients", str(server.answer()))
    seconds = clients.do("open", sockets) if sockets else 0.0
    try:
        yield server, clients, seconds
    finally:
        clients.popen.kill()
        clients.popen.wait()
        server.stop()


def _idle(count: int) -> list[list[str]]:
    with _server_with(0) as (server, clients, _):
        # Once for what the process keeps whoever comes: documents, buffers, pools of memory.
        clients.do("open", 100)
        before = server.do("stats")
        seconds = clients.do("open", count)
        time.sleep(_SETTLE_SECONDS)
        stats = server.do("stats")
        assert stats["sinks"] == count + 100, stats
        each = (stats["rss"] - before["rss"]) / count / 1_000
        clients.begin("vanish")
        gone = time.monotonic()
        while server.do("stats")["sockets"] and time.monotonic() - gone < _GONE_SECONDS:
            time.sleep(0.1)
        gone_seconds = time.monotonic() - gone
        after = server.do("stats")
        server.do("collect")
        collected = server.do("stats")
        # What malloc keeps is not lost: the same number again takes no more.
        again = Process("bench.socket_clients", str(server.do("port")))
        again.do("open", count)
        time.sleep(_SETTLE_SECONDS)
        second = server.do("stats")
        began = time.monotonic()
        server.popen.terminate()
        codes = again.do("end")["codes"]
        server.popen.wait(20)
        stop_seconds = time.monotonic() - began
        codes = again.do("end")["codes"]
        again.stop()
    return [
        [f"{count:,} sockets sign in and subscribe", f"{count / seconds:,.0f}", "a second"],
        ["memory of an idle subscriber", f"{each:,.1f}", "kB"],
        ["tasks of all of them", f"{stats['tasks'] - before['tasks']}", ""],
        ["all clients killed: sockets, sinks and tasks gone after", f"{gone_seconds:,.1f}", "s"],
        ["  memory beyond the start", f"{(after['rss'] - before['rss']) / 1e6:,.1f}", "MB"],
        ["  the same after a garbage collection", f"{(collected['rss'] - before['rss']) / 1e6:,.1f}", "MB"],
        ["  as many again, memory beyond the first time", f"{(second['rss'] - stats['rss']) / 1e6:,.1f}", "MB"],
        ["SIGTERM to the end, with all of them", f"{stop_seconds:,.1f}", "s"],
        ["  closed with 1012", f"{codes.get('1012', 0):,}", ""],
    ]


def _pour(count: int, seconds: float) -> list[list[str]]:
    rows = []
    events = int(_STEADY * seconds)
    with _server_with(count) as (server, clients, _):
        for name, per_second, burst in (
            (f"{_STEADY} events/s", _STEADY, 1),
            ("as fast as it goes, one at a time", _AT_ONCE, 1),
            ("as fast as it goes, ten at a time", _AT_ONCE, 10),
        ):
            clients.do("begin")
            poured = server.do("pour", events, per_second, burst)
            _wait_for_messages(clients, poured["put"])
            end = clients.do("end")
            took = end["last_at"] - poured["instants"][0]
            rows += [
                [f"{name}, to {count:,} sockets", f"{end['messages'] / took:,.0f}", "messages/s"],
                ["  not put for want of room", f"{events * count - poured['put']:,}", "messages"],
                ["  server's CPU a message, the kernel's part included", f"{poured['cpu'] / poured['put'] * 1e6:,.1f}", "µs"],
            ]
            if per_second == _STEADY:
                rows.append(["  p99 of the way from put to client", f"{_p99(poured['instants'], end):,.1f}", "ms"])
    return rows


def _wait_for_messages(clients: Process, count: int) -> None:
    deadline = time.monotonic() + 30
    while clients.do("count") < count and time.monotonic() < deadline:
        time.sleep(0.05)


def _p99(instants: list[float], end: dict[str, Any]) -> float:
    """Milliseconds; arrivals in order belong to events in order, as many to each."""
    share = len(end["arrivals"]) // len(instants)
    waits = [at - instants[min(number // share, len(instants) - 1)] for number, at in enumerate(end["arrivals"])]
    return percentile(waits, 0.99) * 1_000


def _one_event(count: int) -> list[list[str]]:
    with _server_with(count) as (server, clients, _):
        clients.do("begin")
        poured = server.do("pour", 50, 5, 1)
        _wait_for_messages(clients, poured["put"])
        return [[f"one event to {count:,} sockets, p99", f"{_p99(poured['instants'], clients.do('end')):,.1f}", "ms"]]


def _one_that_does_not_read(count: int) -> list[list[str]]:
    with _server_with(count + 1) as (server, clients, _):
        waits = []
        for is_stalled in (False, True):
            if is_stalled:
                clients.do("stall")
                server.do("pour", 3_000, 1_000, 1)
                time.sleep(_SETTLE_SECONDS)
                held = server.do("stats")["held"]
            clients.do("begin")
            poured = server.do("pour", 200, 50, 1)
            time.sleep(_SETTLE_SECONDS)
            waits.append(_p99(poured["instants"], clients.do("end")))
    return [
        ["held for a socket that does not read", f"{held / 1_024:,.0f}", "kB"],
        [f"p99 of the {count} others before", f"{waits[0]:,.1f}", "ms"],
        ["  beside it", f"{waits[1]:,.1f}", "ms"],
    ]


if __name__ == "__main__":
    main()
