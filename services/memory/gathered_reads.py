"""Reads of many requests in one statement.

Whoever asks joins the next statement, never one that was sent already: so the answer is always of a moment after the question,
as if each had asked alone. While statements are under way, questions gather; the busier a process is, the more share one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import repeat
from typing import Generic, TypeVar

from domain.errors import UnavailableError

_PATIENCE_SECONDS = 0.01
"""So long a round is waited for: several times what one takes."""

K = TypeVar("K")
V = TypeVar("V")


class _Round(Generic[K, V]):
    """Keys that go together, and who waits for them."""

    __slots__ = ("keys", "waiting")

    def __init__(self) -> None:
        self.keys: dict[K, None] = {}
        self.waiting: list[asyncio.Future[Mapping[K, V]]] = []


class GatheredReads(Generic[K, V]):
    """`read` is given all keys of a round and answers for all of them; what it raises, each who waits is given.

    One round is under way at a time, so that the next one grows meanwhile; where it takes long, others go beside it, up to
    `at_once`. `max_keys`: of a round, beyond which the next one begins.
    """

    def __init__(self, read: Callable[[list[K]], Awaitable[Mapping[K, V]]], *, at_once: int = 3, max_keys: int = 2_000) -> None:
        self._read = read
        self._at_once = at_once
        self._max_keys = max_keys
        self._gathering: list[_Round[K, V]] = []
        self._is_called = False
        self._is_closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._began_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: dict[asyncio.Task[None], _Round[K, V]] = {}

    async def ask(self, keys: Iterable[K]) -> Mapping[K, V]:
        """What `read` says of the keys, and of those of others: look up what you asked for. Raises what `read` raises."""
        return await self.begin(keys)

    def begin(self, keys: Iterable[K]) -> asyncio.Future[Mapping[K, V]]:
        """`ask`, to be awaited later: for whoever asks several at once. The future is the caller's own."""
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        if self._is_closed:
            raise UnavailableError("the process is about to end")
        if not self._gathering or len(self._gathering[-1].keys) >= self._max_keys:
            self._gathering.append(_Round())
        gathering = self._gathering[-1]
        gathering.keys.update(zip(keys, repeat(None)))
        # A future for each: cancelling one who waits must not cancel the others.
        waiting: asyncio.Future[Mapping[K, V]] = loop.create_future()
        gathering.waiting.append(waiting)
        if not self._is_called:
            if not self._tasks:
                # Not at once: whoever asks within this turn of the loop comes along.
                self._is_called = True
                loop.call_soon(self._begin)
            elif self._timer is None:
                self._timer = loop.call_at(self._began_at + _PATIENCE_SECONDS, self._begin_beside)
        return waiting

    async def close(self) -> None:
        """Gives up what is under way; whoever waits is cancelled, and nobody can ask any more."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        under_way = dict(self._tasks)
        for task in under_way:
            task.cancel()
        if under_way:
            await asyncio.wait(under_way, timeout=1.0)
        # Those under way, too: a task that is cancelled before its first step does nothing for them.
        for gathered in [*under_way.values(), *self._gathering]:
            for waiting in gathered.waiting:
                waiting.cancel()
        self._gathering.clear()

    def _begin(self) -> None:
        self._is_called = False
        self._begin_one()

    def _begin_beside(self) -> None:
        self._timer = None
        if len(self._tasks) < self._at_once:
            self._begin_one()

    def _begin_one(self) -> None:
        loop = asyncio.get_running_loop()
        while self._gathering and not self._is_closed:
            gathered = self._gathering.pop(0)
            if any(not waiting.done() for waiting in gathered.waiting):
                self._began_at = loop.time()
                task = loop.create_task(self._run(gathered), name="gathered-read")
                self._tasks[task] = gathered
                task.add_done_callback(self._ended)
                break
        if self._gathering and self._timer is None and not self._is_closed:
            self._timer = loop.call_at(self._began_at + _PATIENCE_SECONDS, self._begin_beside)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        if not self._tasks:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._begin_one()
        elif self._gathering and self._timer is None and not self._is_closed:
            self._timer = asyncio.get_running_loop().call_at(self._began_at + _PATIENCE_SECONDS, self._begin_beside)

    async def _run(self, gathered: _Round[K, V]) -> None:
        try:
            found = await self._read(list(gathered.keys))
        except asyncio.CancelledError:
            for waiting in gathered.waiting:
                waiting.cancel()
            raise
        except Exception as error:
            for waiting in gathered.waiting:
                if not waiting.done():
                    waiting.set_exception(error)
                    waiting.exception()  # looked at: nobody is left to do so where one who waits is cancelled just now
        else:
            for waiting in gathered.waiting:
                if not waiting.done():
                    waiting.set_result(found)
