"""Chores: work that waits in the database and is done in batches, many rows to one message.

The relay looks whether there is any: when it is rung after a commit, and every few seconds besides. Then it sends one
message, which carries nothing; whoever takes it does what is due until nothing is left or its time is up. So a lost message
costs a look, and a doubled one finds nothing to do. While workers keep up, a message follows each ring; where work grows old,
they are sent more and more seldom, so that a queue that stands still is not filled with copies.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from db.turns import take_turn
from domain.errors import UnavailableError
from services.backends import Backends

RUNG_GAP_SECONDS = 0.05
"""From one message of a chore to the next, while workers keep up."""
LONGEST_GAP_SECONDS = 5.0
KEEPS_UP_SECONDS = 1.0
"""Work that has waited longer than this says that nobody takes the messages, or not fast enough."""
_LOOK_SECONDS = 1.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RungChore:
    """Work that people cause. `waiting_seconds`: how long the oldest has waited, None where there is none."""

    name: str
    waiting_seconds: Callable[[Backends], Awaitable[float | None]]
    send: Callable[[], object]
    """Puts the message on its queue: blocks for a round trip, raises what the broker raises."""


@dataclass(frozen=True, slots=True)
class RegularChore:
    """Work that comes round, in one process at a time over all relays."""

    name: str
    every_seconds: float
    send: Callable[[], object]


class ChoreBoard:
    """The chores of one relay. `ring` after a commit that may have made work."""

    def __init__(self, backends: Backends, rung: list[RungChore], regular: list[RegularChore]) -> None:
        self._backends = backends
        self._rung_chores = rung
        self._regular_chores = regular
        self._bells = [asyncio.Event() for _ in rung]

    def ring(self) -> None:
        """Somebody has committed something."""
        for bell in self._bells:
            bell.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            # Without any chore it would end at once, and the relay with it.
            group.create_task(asyncio.Event().wait(), name="chores")
            for chore, bell in zip(self._rung_chores, self._bells, strict=True):
                group.create_task(self._look_after(chore, bell), name=f"chore-{chore.name}")
            for regular in self._regular_chores:
                group.create_task(self._come_round(regular), name=f"chore-{regular.name}")

    async def _look_after(self, chore: RungChore, bell: asyncio.Event) -> None:
        gap = RUNG_GAP_SECONDS
        while True:
            # Cleared before looking: a ring during the look is for the next one.
            bell.clear()
            waited = await self._waiting(chore)
            if waited is not None:
                await _send(chore.name, chore.send)
                gap = RUNG_GAP_SECONDS if waited < KEEPS_UP_SECONDS else min(LONGEST_GAP_SECONDS, gap * 2)
                await asyncio.sleep(gap)
                continue
            gap = RUNG_GAP_SECONDS
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await bell.wait()
            except TimeoutError:
                continue

    async def _waiting(self, chore: RungChore) -> float | None:
        try:
            return await chore.waiting_seconds(self._backends)
        except UnavailableError:
            log.warning("chores.database_unavailable", chore=chore.name)
            await asyncio.sleep(_LOOK_SECONDS)
            return None

    async def _come_round(self, chore: RegularChore) -> None:
        while True:
            await asyncio.sleep(min(chore.every_seconds, 60.0) / 2)
            try:
                async with self._backends.database.writing() as session:
                    has_turn = await take_turn(session, chore.name, every_seconds=chore.every_seconds)
            except UnavailableError:
                continue
            if has_turn:
                await _send(chore.name, chore.send)


async def _send(name: str, send: Callable[[], object]) -> None:
    started = time.monotonic()
    try:
        await asyncio.to_thread(send)
    except Exception:
        log.warning("chores.broker_unavailable", chore=name, seconds=round(time.monotonic() - started, 3))
        await asyncio.sleep(1.0)
