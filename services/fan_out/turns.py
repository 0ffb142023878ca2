"""Large fan-outs let small ones go first, within one process: the queues order jobs that wait, this orders those that run."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import contextmanager

LARGE_FROM = 5_000
"""Followers from which a fan-out is large."""
GIVE_WAY_SECONDS = 0.02
"""A large one waits at most so long before each batch: slow where there are very many small ones, but never still."""


class Turns:
    """How many small jobs are at work."""

    def __init__(self) -> None:
        self._small = 0
        self._none = asyncio.Event()
        self._none.set()

    @contextmanager
    def small(self) -> Iterator[None]:
        """Around a small job, or the beginning of one that may turn out to be large."""
        self._small += 1
        self._none.clear()
        try:
            yield
        finally:
            self._small -= 1
            if not self._small:
                self._none.set()

    async def give_way(self) -> None:
        """For large jobs, before each batch."""
        if self._small:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GIVE_WAY_SECONDS):
                    await self._none.wait()
