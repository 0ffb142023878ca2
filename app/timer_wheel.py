"""One timer for all sockets of a process.

Ten thousand timers of the event loop would be ten thousand objects that are hardly ever due. Here a socket stands in the box of
the quarter second in which it wants to be looked at, and nothing is armed while all boxes are empty.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

TICK_SECONDS = 0.25

log = structlog.get_logger(__name__)


class Timed(Protocol):
    """Something that wants to be looked at. `box` belongs to the wheel: 0 while it stands in none."""

    box: int

    def look(self, now: float) -> float | None:
        """Does what is due; returns when it wants to be looked at next (event loop's clock, seconds), or None."""


class TimerWheel:
    """Looks at each of its things when it is due, up to TICK_SECONDS late."""

    def __init__(self) -> None:
        self._boxes: dict[int, set[Timed]] = {}
        self._reached = 0
        self._handle: asyncio.TimerHandle | None = None

    def put(self, thing: Timed, at: float) -> None:
        """Has it looked at then, and not when it was put for before."""
        if self._handle is None:
            loop = asyncio.get_running_loop()
            self._reached = int(loop.time() / TICK_SECONDS)
            self._arm(loop)
        box = max(int(at / TICK_SECONDS) + 1, self._reached + 1)
        if box == thing.box:
            return
        self.drop(thing)
        thing.box = box
        self._boxes.setdefault(box, set()).add(thing)

    def hasten(self, thing: Timed, at: float) -> None:
        """Has it looked at then, or earlier where that was wanted already."""
        if not thing.box or int(at / TICK_SECONDS) + 1 < thing.box:
            self.put(thing, at)

    def drop(self, thing: Timed) -> None:
        """It is not looked at any more."""
        if thing.box:
            box = self._boxes.get(thing.box)
            if box is not None:
                box.discard(thing)
            thing.box = 0

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        self._handle = loop.call_at((self._reached + 1) * TICK_SECONDS, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        # The event loop may call a little early by its own clock; what is late is not skipped.
        reached = max(self._reached, int(now / TICK_SECONDS))
        due = [self._boxes.pop(number) for number in range(self._reached + 1, reached + 1) if number in self._boxes]
        self._reached = reached
        for box in due:
            for thing in box:
                thing.box = 0
            for thing in box:
                self._look(thing, now)
        self._handle = None
        if self._boxes:
            self._arm(loop)

    def _look(self, thing: Timed, now: float) -> None:
        try:
            next_look = thing.look(now)
        except Exception:
            log.exception("socket.timer_failed")
            return
        if next_look is not None:
            self.put(thing, next_look)
