"""Thousands of subscribers in a process of their own that costs little: `python -m bench.live.crowd_process ADDRESS FIELD`.

Each line of stdin is a command in JSON (see `bench.live.crowd`), each has one line of JSON as its answer. A post's text begins
with `<000123>`: its number, by which it is recognised. Nothing else of a message is read, apart from what is rare.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import sys
import time
from typing import Any

import uvloop

from bench.live.crowd_socket import CrowdSocket, Tally

_OPEN_SECONDS = 60.0
_RETRY_SECONDS = 0.3


class CrowdProcess:
    """The sockets and what is done with them. Every `do_…` answers one command."""

    def __init__(self, address: str, field: str) -> None:
        host, _, port = address.rpartition("/")[2].partition(":")
        self._host, self._port, self._field = host, int(port), field
        self._tally = Tally()
        self._sockets: list[CrowdSocket] = []

    async def do_connect(self, tokens: list[str], at_a_time: int) -> dict[str, Any]:
        """More sockets. Answers when each is subscribed."""
        fresh = [CrowdSocket(self._tally, token, self._field) for token in tokens]
        self._sockets += fresh
        began = time.monotonic()
        await self._open(fresh, at_a_time)
        gc.collect()
        gc.freeze()
        return {"seconds": time.monotonic() - began}

    async def do_stall(self, token: str) -> dict[str, Any]:
        """One more socket, which reads nothing after its subscription."""
        one = CrowdSocket(self._tally, token, self._field, never_reads=True)
        self._sockets.append(one)
        await self._open([one], 1)
        assert one.transport is not None
        return {"port": one.transport.get_extra_info("sockname")[1]}

    async def do_cut(self) -> dict[str, Any]:
        """Every connection is reset; the subscribers stay."""
        for one in self._sockets:
            one.cut()
        return {}

    async def do_forget(self) -> dict[str, Any]:
        """Every connection is reset, and the subscribers are gone."""
        await self.do_cut()
        self._sockets.clear()
        return {}

    async def do_resume(self, at_a_time: int) -> dict[str, Any]:
        """All connect again, each with its last cursor. Answers at once."""
        self._resuming = asyncio.create_task(self._open(self._sockets, at_a_time))
        return {"at": time.monotonic()}

    async def do_check(self, first: int, last: int) -> dict[str, Any]:
        """Of the posts with the numbers from `first` to before `last`: how many subscribers have each exactly once."""
        wanted = b"\x01" * (last - first)
        counts = [one.taken[first:last] for one in self._sockets if not one.never_reads]
        return {
            "complete": sum(taken == wanted for taken in counts),
            "missed": sum(taken.count(0) for taken in counts),
            "repeated": sum(len(taken) - taken.count(0) - taken.count(1) for taken in counts),
            "last_at": max(
                (self._tally.arrived[number][-1] for number in range(first, last) if self._tally.arrived[number]), default=0.0
            ),
        }

    async def do_arrivals(self, first: int, last: int) -> dict[str, Any]:
        """By number, the instants (monotonic seconds) of arrival at the readers."""
        return {"arrivals": {number: list(self._tally.arrived[number]) for number in range(first, last)}}

    async def do_report(self) -> dict[str, Any]:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "open": sum(one.is_open for one in self._sockets),
            "events": self._tally.events,
            "bytes": self._tally.bytes,
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "closes": dict(self._tally.closes),
            "errors": dict(self._tally.errors),
            "others": self._tally.others,
        }

    async def _open(self, sockets: list[CrowdSocket], at_a_time: int) -> None:
        """Tries until it is so. Raises TimeoutError where one finds no entry for a minute."""
        turn = asyncio.Semaphore(at_a_time)
        loop = asyncio.get_running_loop()

        async def open_one(one: CrowdSocket) -> None:
            async with turn, asyncio.timeout(_OPEN_SECONDS):
                while True:
                    try:
                        await loop.create_connection(one.fresh, self._host, self._port)
                        await one.subscribed()
                    except OSError:
                        await asyncio.sleep(_RETRY_SECONDS)
                    else:
                        return

        await asyncio.gather(*(open_one(one) for one in sockets))


async def _serve(address: str, field: str) -> None:
    loop = asyncio.get_running_loop()
    crowd = CrowdProcess(address, field)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        answer = await getattr(crowd, f"do_{command.pop('do')}")(**command)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    gc.set_threshold(100_000, 50, 50)
    uvloop.run(_serve(sys.argv[1], sys.argv[2]))
