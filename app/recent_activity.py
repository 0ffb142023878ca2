"""Notes who uses the service, for `last_active_at`: at most once an hour for each account, and never in anybody's way."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from contextlib import suppress

import asyncpg

from db.database import Database
from db.users import touch_last_active
from domain.errors import UnavailableError

EVERY_SECONDS = 3_600.0
REMEMBERED = 50_000
"""Accounts whose last note this process remembers; a forgotten one costs a statement that changes nothing."""


class RecentActivity:
    """The notes of one process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted_at: OrderedDict[int, float] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def note(self, user_id: int) -> None:
        """The account is in use. Returns at once."""
        now = time.monotonic()
        if now - self._noted_at.get(user_id, -EVERY_SECONDS) < EVERY_SECONDS:
            return
        self._noted_at[user_id] = now
        self._noted_at.move_to_end(user_id)
        if len(self._noted_at) > REMEMBERED:
            self._noted_at.popitem(last=False)
        task = asyncio.get_running_loop().create_task(self._write(user_id), name="recent-activity")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Gives up what is still under way."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=0.3)

    async def _write(self, user_id: int) -> None:
        # What is not noted now is noted an hour later.
        with suppress(UnavailableError, asyncpg.PostgresError):
            async with self._database.at_once() as session:
                await touch_last_active(session, user_id)
