"""Refusals for requests whose answer is late, given from outside: work that is in time needs neither a task nor a timer.

As `app/deadline.py` promises it, for the one endpoint that nearly all requests are for.
"""

from __future__ import annotations

import asyncio
from typing import Any

from app.deadline import ANSWER_SECONDS


class Watched:
    """A request that is being worked for by the task that has it watched."""

    __slots__ = ("_due", "_refusal", "_task")

    _task: asyncio.Task[Any]
    _due: float

    def __init__(self) -> None:
        self._refusal: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        """Whether it is, or will be, refused: then whoever works for it answers nothing, and waits for `refused`."""
        return self._refusal is not None

    async def refused(self) -> None:
        """Until the refusal has been given. Raises what `refuse` raises."""
        assert self._refusal is not None, "asked before"
        await self._refusal

    async def refuse(self) -> None:
        """Answers that it was not ready in time."""
        raise NotImplementedError


class Watchdog:
    """Watches the requests of one process.

    One that is late is refused, and its task is cancelled but not awaited: a driver whose server has stopped may take seconds
    even to be cancelled. Its task comes to its end in the background, and gives back its connections there. Nothing that is
    cancelled late meanwhile, such as a timeout within it, can do harm: its answer has been given.
    """

    def __init__(self, seconds: float = ANSWER_SECONDS) -> None:
        self._seconds = seconds
        # In the order in which they are due, since all have the same time.
        self._watched: dict[Watched, None] = {}
        self._late: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, request: Watched) -> None:
        """From now on, until `release`."""
        loop = asyncio.get_running_loop()
        request._task = asyncio.current_task(loop)  # type: ignore[assignment] # a coroutine runs in one
        due = request._due = loop.time() + self._seconds
        self._watched[request] = None
        if self._timer is None:
            # Not taken back when all are answered in time: it comes once in a while, however many are.
            self._timer = loop.call_at(due, self._look)

    def release(self, request: Watched) -> None:
        """It is not watched any more; nothing changes for one that is over."""
        self._watched.pop(request, None)

    async def close(self, *, timeout_seconds: float) -> None:
        """Nothing is watched any more. Waits a little for what is still on its way out, refused or cancelled by the server."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        leaving = self._late.union(request._task for request in self._watched)
        self._watched.clear()
        if leaving:
            await asyncio.wait(leaving, timeout=timeout_seconds)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._timer = None
        for request in [*self._watched]:
            if request._due > now:
                self._timer = loop.call_at(request._due, self._look)
                break
            del self._watched[request]
            request._refusal = loop.create_task(request.refuse(), name="late-answer")
            self._late.add(request._task)
            request._task.add_done_callback(self._late.discard)
            request._task.cancel()
