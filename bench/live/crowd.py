"""The other end of `bench.live.crowd_process`."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

_ANSWER_SECONDS = 900.0
_LINE_BYTES = 256 * 1_024 * 1_024


class Crowd:
    """Subscribers in another process. One command at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    async def connect(self, tokens: Sequence[str], *, at_a_time: int = 32) -> float:
        """One subscriber for each token. Returns the seconds that it took."""
        return float((await self._ask("connect", tokens=list(tokens), at_a_time=at_a_time))["seconds"])

    async def stall(self, token: str) -> int:
        """A subscriber that never reads. Returns its port."""
        return int((await self._ask("stall", token=token))["port"])

    async def cut(self) -> None:
        """Every connection ends with a TCP reset."""
        await self._ask("cut")

    async def forget(self) -> None:
        """As `cut`, and the subscribers are gone."""
        await self._ask("forget")

    async def resume(self) -> float:
        """All come back at once. Returns the instant, in monotonic seconds, without waiting for them."""
        return float((await self._ask("resume", at_a_time=100_000))["at"])

    async def check(self, first: int, last: int) -> dict[str, Any]:
        """`complete`: subscribers that have every post of the numbers from `first` to before `last` once; `missed`, `repeated`,
        `last_at`."""
        return await self._ask("check", first=first, last=last)

    async def arrivals(self, first: int, last: int) -> dict[int, list[float]]:
        """By the post's number, the instants of arrival in monotonic seconds."""
        found = await self._ask("arrivals", first=first, last=last)
        return {int(number): instants for number, instants in found["arrivals"].items()}

    async def report(self) -> dict[str, Any]:
        return await self._ask("report")

    async def _ask(self, command: str, **given: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": command, **given}).encode() + b"\n")
        await self._process.stdin.drain()
        async with asyncio.timeout(_ANSWER_SECONDS):
            line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("the crowd has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer


@asynccontextmanager
async def gathered_crowd(address: str, field: str) -> AsyncIterator[Crowd]:
    """A process with no subscribers yet."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.live.crowd_process",
        address,
        field,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=_LINE_BYTES,
    )
    try:
        yield Crowd(process)
    finally:
        process.kill()
        await process.wait()
