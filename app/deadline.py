"""Answers in time, whatever stands still behind us."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

from domain.errors import UnavailableError

T = TypeVar("T")

ANSWER_SECONDS = 1.8
"""From a readable request to its answer: below the 2 s within which UNAVAILABLE is promised."""
LATE = "the answer was not ready in time"


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
        # What `asyncio.wait` does for one task, at a third of its price.
        loop = asyncio.get_running_loop()
        task = loop.create_task(work)
        over: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(max(0.0, self._seconds - spent_seconds), _end, over)
        task.add_done_callback(partial(_end, over))
        try:
            await over
        except asyncio.CancelledError:
            self._abandon(task)
            raise
        finally:
            timer.cancel()
        if not task.done():
            self._abandon(task)
            raise UnavailableError(LATE)
        return task.result()

    async def close(self, *, timeout_seconds: float) -> None:
        """Waits a little for what is still on its way out."""
        if self._late:
            await asyncio.wait(self._late, timeout=timeout_seconds)

    def _abandon(self, task: asyncio.Task[Any]) -> None:
        task.cancel()
        self._late.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved: nobody waits for it, and the answer has long been given


def _end(over: asyncio.Future[None], _: object = None) -> None:
    if not over.done():
        over.set_result(None)
