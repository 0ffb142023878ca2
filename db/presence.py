"""Whether PostgreSQL answers at all, found out once for everybody who waits.

A statement that is slow, a pool that is full, a connection that was killed: each of them looks like a server that is away. So
none of them counts by itself; they only cause a *probe*, one at a time: a connection of its own and one answer, within its own
deadline. A refusal for too many connections is an answer. A probe that fails, while nobody else has an answer either, makes the
server *away*: whoever waits for it is told at once, whoever comes meanwhile does not wait, and the probe is repeated until
it succeeds.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import asyncpg
import structlog

PAUSE_SECONDS = 0.25
"""Between probes while it is away."""

log = structlog.get_logger(__name__)


class Presence:
    """What one process knows of its server. `probe` connects, asks, and raises whatever goes wrong.

    Who has waited for the patience wonders whether the server is there. The probe's time is for a connection and one answer:
    some milliseconds on a server that is there. Both together stay well below the deadline of whoever waits.
    """

    def __init__(
        self, probe: Callable[[], Awaitable[object]], *, patience_seconds: float = 0.5, probe_seconds: float = 0.5
    ) -> None:
        self._probe = probe
        self._patience_seconds = patience_seconds
        self._probe_seconds = probe_seconds
        self._task: asyncio.Task[None] | None = None
        self._waiting: set[asyncio.Timeout] = set()
        self._answers = 0
        self.is_away = False

    def wait_under(self, timeout: asyncio.Timeout) -> asyncio.TimerHandle:
        """Somebody waits; after the patience it is asked why. Cancel the handle and `stop_waiting` at the end."""
        self._waiting.add(timeout)
        return asyncio.get_running_loop().call_later(self._patience_seconds, self.doubt)

    def stop_waiting(self, timeout: asyncio.Timeout, handle: asyncio.TimerHandle) -> None:
        handle.cancel()
        self._waiting.discard(timeout)

    def note_answer(self) -> None:
        """The server has answered somebody."""
        self._answers += 1

    def doubt(self) -> None:
        """Something went wrong or takes long: finds out, in the background, unless somebody does so already."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._find_out(), name="database-presence")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _find_out(self) -> None:
        while True:
            answers = self._answers
            if await self._is_there():
                break
            # Somebody had an answer meanwhile: then this process may have been too slow for the probe. Another one tells.
            if self._answers == answers:
                if not self.is_away:
                    self.is_away = True
                    log.warning("database.is_away")
                self._tell_waiting()
                await asyncio.sleep(PAUSE_SECONDS)
        if self.is_away:
            self.is_away = False
            log.info("database.is_back")

    async def _is_there(self) -> bool:
        probe = asyncio.ensure_future(self._probe())
        try:
            # Not awaited for longer than that: a connection that is being made may take its time even to be cancelled.
            await asyncio.wait((probe,), timeout=self._probe_seconds)
        finally:
            if not probe.done():
                probe.cancel()
                probe.add_done_callback(_forget)
        if not probe.done():
            return False
        error = probe.exception()
        return error is None or _is_answer(error)

    def _tell_waiting(self) -> None:
        now = asyncio.get_running_loop().time()
        for timeout in self._waiting:
            if not timeout.expired():
                timeout.reschedule(now)
        self._waiting.clear()


def _is_answer(error: BaseException) -> bool:
    """Whether a server that refuses a connection is nevertheless there: full, or it does not like who asks."""
    return isinstance(error, asyncpg.PostgresError) and not (error.sqlstate or "").startswith(("08", "57"))


def _forget(task: asyncio.Future[object]) -> None:
    if not task.cancelled():
        task.exception()  # retrieved: the probe has long been judged
