"""A gate for sockets that come back all at once, after a restart for instance.

Signing in and beginning a subscription ask the database. Thousands at a time would have each other run into deadlines, and come
back again. So some are served at a time and the others wait, in the order in which they came. Waiting costs no task.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Protocol

AT_A_TIME = 16
"""Sockets that ask the database at the same time: enough to keep a pool of ten connections busy."""
ARRIVALS_PER_SECOND = 500.0
BURST_ARRIVALS = 100.0
MAX_WAITING = 10_000
"""Twenty seconds of arrivals; whoever comes then is asked to come back later."""


class Visitor(Protocol):
    """Something that waits for its turn."""

    def come_in(self) -> None:
        """Its turn has come; it says `leave` to the gate when it needs nothing more."""


class Admission:
    """Lets in AT_A_TIME at a time: what has signed in already before arrivals, and of those ARRIVALS_PER_SECOND."""

    def __init__(self, *, at_a_time: int = AT_A_TIME, per_second: float = ARRIVALS_PER_SECOND) -> None:
        self._free = at_a_time
        self._per_second = per_second
        self._tokens = BURST_ARRIVALS
        self._refilled_at = 0.0
        # One that has gone away can leave from the middle.
        self._known: OrderedDict[Visitor, None] = OrderedDict()
        self._arrivals: OrderedDict[Visitor, None] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._arrivals) + len(self._known)

    def arrive(self, visitor: Visitor) -> bool:
        """Queues a socket that wants to sign in; `come_in` may be called before this returns. False: too many wait already."""
        if len(self._arrivals) >= MAX_WAITING:
            return False
        self._arrivals[visitor] = None
        self._let_in()
        return True

    def ask(self, visitor: Visitor) -> None:
        """Queues work of a socket that has signed in; `come_in` may be called before this returns."""
        self._known[visitor] = None
        self._let_in()

    def withdraw(self, visitor: Visitor) -> None:
        """It has gone away before its turn; nothing changes where it does not wait."""
        self._arrivals.pop(visitor, None)
        self._known.pop(visitor, None)

    def leave(self) -> None:
        """One that was let in needs nothing more."""
        self._free += 1
        self._let_in()

    def _let_in(self) -> None:
        while self._free and self._known:
            self._free -= 1
            self._known.popitem(last=False)[0].come_in()
        while self._free and self._arrivals:
            if not self._take_token():
                return
            self._free -= 1
            self._arrivals.popitem(last=False)[0].come_in()

    def _take_token(self) -> bool:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._tokens = min(BURST_ARRIVALS, self._tokens + (now - self._refilled_at) * self._per_second)
        self._refilled_at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return True
        if self._timer is None:
            self._timer = loop.call_later((1 - self._tokens) / self._per_second, self._go_on)
        return False

    def _go_on(self) -> None:
        self._timer = None
        self._let_in()
