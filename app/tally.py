"""What is counted with every request, handed on to its metric several times a second.

A metric takes a lock for each number, and a histogram goes through its buckets: for the four that a request changes that is as
much as reading the request.
"""

from __future__ import annotations

import asyncio
import collections
from bisect import bisect_left
from collections.abc import Sequence
from typing import Protocol

from prometheus_client import Counter, Histogram

_EVERY_SECONDS = 0.25
_MANY = 1_000


class _Pending(Protocol):
    def hand_on(self) -> None: ...


_waiting: dict[_Pending, None] = {}
_timers: dict[asyncio.AbstractEventLoop, asyncio.TimerHandle] = {}


class Times(Histogram):
    """A histogram that takes many observations for little more than one."""

    def observe_many(self, amounts: Sequence[float]) -> None:
        """`observe` for each."""
        self._raise_if_not_observable()  # type: ignore[no-untyped-call]
        bounds = self._upper_bounds
        for bucket, count in collections.Counter([bisect_left(bounds, amount) for amount in amounts]).items():
            self._buckets[bucket].inc(count)
        self._sum.inc(sum(amounts))


class Tally:
    """Counts for a counter."""

    __slots__ = ("_count", "_counter")

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._count = 0

    def inc(self) -> None:
        """One more."""
        if not self._count:
            _note(self)
        self._count += 1

    def hand_on(self) -> None:
        """To the counter, what came since the last time."""
        count, self._count = self._count, 0
        self._counter.inc(count)


class TimesTally:
    """Keeps observations for a histogram."""

    __slots__ = ("_histogram", "_seconds")

    def __init__(self, histogram: Times) -> None:
        self._histogram = histogram
        self._seconds: list[float] = []

    def observe(self, seconds: float) -> None:
        """One more."""
        kept = self._seconds
        if not kept:
            _note(self)
        kept.append(seconds)
        if len(kept) >= _MANY:
            self.hand_on()

    def hand_on(self) -> None:
        """To the histogram, what came since the last time."""
        seconds, self._seconds = self._seconds, []
        self._histogram.observe_many(seconds)


def hand_on_all() -> None:
    """Before anybody looks, and before the process ends."""
    for timer in _timers.values():
        timer.cancel()
    _timers.clear()
    waiting = list(_waiting)
    _waiting.clear()
    for each in waiting:
        each.hand_on()


def _note(pending: _Pending) -> None:
    _waiting[pending] = None
    loop = asyncio.get_running_loop()
    if loop not in _timers:
        _timers[loop] = loop.call_later(_EVERY_SECONDS, hand_on_all)
