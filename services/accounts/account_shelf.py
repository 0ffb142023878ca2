"""Accounts kept for the time that PostgreSQL is away, so that whoever was here lately is still recognised."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from contextlib import suppress

from cache.changes import Changes, StampPlace
from cache.shelves import Shelves
from domain import subjects
from domain.errors import CacheUnavailableError
from domain.records import UserRecord
from services.accounts.account_format import pack_account, unpack_account

EVERY_SECONDS = 60.0
_REMEMBERED = 50_000
"""Accounts of which this process remembers when it last made a copy; of a forgotten one it makes another."""


class AccountShelf:
    """The copies that one process makes and believes."""

    def __init__(self, shelves: Shelves, changes: Changes) -> None:
        self._shelves = shelves
        self._changes = changes
        self._made: OrderedDict[str, tuple[float, tuple[str, int] | None]] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, external_id: str) -> StampPlace | None:
        """Where the stamps stand, where a copy is due; None otherwise. Ask before the database is read."""
        now = time.monotonic()
        made_at, origin = self._made.get(external_id, (-EVERY_SECONDS, None))
        # A cache that was wiped, or came back older, holds no copy of before.
        if now - made_at < EVERY_SECONDS and origin == self._changes.origin:
            return None
        self._made[external_id] = now, self._changes.origin
        self._made.move_to_end(external_id)
        if len(self._made) > _REMEMBERED:
            self._made.popitem(last=False)
        with suppress(CacheUnavailableError):
            place = await self._changes.place()
            self._made[external_id] = now, place.origin
            return place
        self._made.pop(external_id, None)
        return None

    def keep(self, user: UserRecord, place: StampPlace) -> None:
        """Makes the copy, in the background. Returns at once."""
        task = asyncio.get_running_loop().create_task(self._put(user, place), name="shelve-account")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def find(self, external_id: str) -> UserRecord | None:
        """The account as it was last seen; None where it was not seen lately, or has changed since."""
        try:
            copy = await self._shelves.take_account(external_id)
            found = unpack_account(copy) if copy is not None else None
            if found is None:
                return None
            user, place = found
            changed = await self._changes.find_changed([subjects.account(user.id)], since=place)
        except CacheUnavailableError:
            return None
        return user if changed is not None and not changed else None

    async def close(self) -> None:
        """Gives up what is still under way."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=0.3)

    async def _put(self, user: UserRecord, place: StampPlace) -> None:
        try:
            await self._shelves.put_account(user.external_id, pack_account(user, place))
        except CacheUnavailableError:
            self._made.pop(user.external_id, None)
