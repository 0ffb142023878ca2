"""Wakes the relays after a commit, at most once in a few milliseconds a process.

NOTIFY inside every writing transaction takes a lock that serialises commits; so the bell is rung outside, and one ring stands
for all commits since the last one. A ring that is lost costs the relay's poll interval, nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib

from db import outbox
from db.database import Database
from domain.errors import UnavailableError

_PAUSE_SECONDS = 0.005
_SOON_SECONDS = 0.05
"""What nobody waits for is told so late at most: hundreds of likes a second are a few rings."""


class RelayBell:
    """Ring it after a commit. Its own task sends the NOTIFY."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rung = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._soon: asyncio.TimerHandle | None = None

    def ring_soon(self) -> None:
        """The same for what can wait a moment, and happens often. Returns at once."""
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(_SOON_SECONDS, self._ring_late)

    def ring(self) -> None:
        """Returns at once."""
        self._rung.set()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._send(), name="relay-bell")

    def _ring_late(self) -> None:
        self._soon = None
        self.ring()

    async def _send(self) -> None:
        while self._rung.is_set():
            self._rung.clear()
            # A relay that polls finds the rows all the same.
            with contextlib.suppress(UnavailableError):
                async with self._database.at_once() as session:
                    await outbox.ring_relays(session)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def close(self) -> None:
        if self._soon is not None:
            self._soon.cancel()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
