"""The receivers of one event, chunk by chunk: the next chunk is on its way while this one is served."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from db import follows
from db.outbox import LeasedEvent
from services.backends import Backends
from services.fan_out.audiences import ReceiverList

Chunk = tuple[Sequence[int], bool]
"""Ids in ascending order, and whether nobody is left behind the last of them."""


class ReceiverWalk:
    """From the event's progress on. `receivers`: the list in memory; None: they are read from PostgreSQL.

    A chunk is half of what may be served twice (`fanout_batch`): while one is served, the progress of the one before is noted.
    """

    def __init__(self, backends: Backends, event: LeasedEvent, receivers: ReceiverList | None) -> None:
        self._backends = backends
        self._event = event
        self._receivers = receivers
        self._size = max(1, backends.policy.fanout_batch // 2)
        self._last_id = event.last_follower_id
        self._ahead: asyncio.Task[Chunk] | None = None

    async def next(self) -> Chunk:
        """The next chunk. Raises UnavailableError."""
        chunk: Chunk
        if self._receivers is not None:
            chunk = self._receivers.chunk(self._event.post_id, after_id=self._last_id, size=self._size)
        elif self._ahead is not None:
            ahead, self._ahead = self._ahead, None
            chunk = await ahead
        else:
            chunk = await self._read(self._last_id)
        ids, is_last = chunk
        if not is_last:
            self._last_id = ids[-1]
            if self._receivers is None:
                self._ahead = asyncio.get_running_loop().create_task(self._read(self._last_id))
        return chunk

    async def close(self) -> None:
        """Leaves nothing under way."""
        if self._ahead is not None:
            self._ahead.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._ahead

    async def _read(self, after_id: int) -> Chunk:
        event = self._event
        async with self._backends.database.at_once() as session:
            ids = await follows.load_follower_chunk(
                session, event.author_id, post_id=event.post_id, after_id=after_id, size=self._size
            )
        return ids, len(ids) < self._size
