"""Answers in time, whatever stands still behind us."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any, TypeVar

from domain.errors import UnavailableError

T = TypeVar("T")

ANSWER_SECONDS = 1.8
"""From a readable request to its answer: below the 2 s within which UNAVAILABLE is promised."""


class Deadline:
    """Runs work for one process's requests and stops waiting when its time is over.

    A driver whose server has stopped may take seconds even to be cancelled. So work that is late is cancelled but not awaited:
    it comes to its end in the background, and gives back its connections there.
    """

    def __init__(self, seconds: float = ANSWER_SECONDS) -> None:
        self._seconds = seconds
        self._late: set[asyncio.Task[Any]] = set()

    async def run(self, work: Coroutine[Any, Any, T], *, spent_seconds: float = 0.0) -> T:
        """The result. Raises UnavailableError when time is over, and what the work raises.

        `spent_seconds`: what the same request has waited for before.
        """
        # In the task of whoever waits: a task of its own would cost more than all the rest of this. Only work that is late gets
        # one, for its end.
        task = asyncio.current_task()
        assert task is not None, "awaited"
        alarm = _Alarm(task)
        timer = task.get_loop().call_later(max(0.0, self._seconds - spent_seconds), alarm.ring)
        before = task.cancelling()
        try:
            return await _within(work, alarm)
        except _LateError:
            late = task.get_loop().create_task(_end(work), name="late-work")
            self._late.add(late)
            late.add_done_callback(self._forget)
            if task.uncancel() > before:
                # Somebody else wants it to end, too.
                raise asyncio.CancelledError from None
            raise UnavailableError("the answer was not ready in time") from None
        finally:
            timer.cancel()

    async def close(self, *, timeout_seconds: float) -> None:
        """Waits a little for what is still on its way out."""
        if self._late:
            await asyncio.wait(self._late, timeout=timeout_seconds)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved: nobody waits for it, and the answer has long been given


class _LateError(Exception):
    """Time is over, and the work stands where it waits."""


class _Alarm:
    """Wakes a task."""

    __slots__ = ("_task", "has_rung")

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self._task = task
        self.has_rung = False

    def ring(self) -> None:
        self.has_rung = True
        self._task.cancel()


@coroutine
def _within(work: Coroutine[Any, Any, T], alarm: _Alarm) -> Generator[Any, None, T]:
    """`await work`, but that the alarm leaves the work where it is."""
    thrown: BaseException | None = None
    while True:
        try:
            waiting = work.send(None) if thrown is None else work.throw(thrown)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
        try:
            yield waiting
        except BaseException as error:
            if alarm.has_rung and isinstance(error, asyncio.CancelledError):
                raise _LateError from None
            # A failure of what was awaited, a shorter deadline within the work, or the end of the task.
            thrown = error
        else:
            thrown = None


@coroutine
def _cancel(work: Coroutine[Any, Any, T]) -> Generator[Any, None, T]:
    """Cancels work that stands where it waits, and awaits its end."""
    thrown: BaseException | None = asyncio.CancelledError()
    while True:
        try:
            waiting = work.send(None) if thrown is None else work.throw(thrown)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
        try:
            yield waiting
        except BaseException as error:
            thrown = error
        else:
            thrown = None


async def _end(work: Coroutine[Any, Any, T]) -> T:
    return await _cancel(work)
