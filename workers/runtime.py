"""What lives as long as a worker: its event loop and the open backends. A resource's whole life in one middleware."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import threading
from contextlib import AsyncExitStack

import structlog
import uvloop
from dramatiq import Broker, Worker
from dramatiq.asyncio import EventLoopThread, set_event_loop_thread
from dramatiq.middleware import Middleware

from bootstrap import open_backends
from db.database import Database
from db.heartbeats import BEAT_SECONDS, beat, end_beat
from domain.errors import UnavailableError
from services.backends import Backends
from settings import Settings
from workers.metrics import WorkerObserver

log = structlog.get_logger(__name__)


class _UvloopThread(EventLoopThread):
    """Dramatiq's event loop thread on uvloop."""

    def __init__(self) -> None:
        self.interrupt_check_ival = 0.1
        self.logger = logging.getLogger("dramatiq.asyncio")
        self.loop = uvloop.new_event_loop()
        threading.Thread.__init__(self, name="worker-loop", daemon=True)


class Runtime(Middleware):
    """Opens the backends when the first pool of threads boots, on the actors' own loop (never before a fork).

    Closes them after the last actor of the last pool.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._thread: _UvloopThread | None = None
        self._stack: AsyncExitStack | None = None
        self._backends: Backends | None = None
        self._pools = 0
        """Pools of threads that run in this process."""
        self._lock = threading.Lock()

    @property
    def backends(self) -> Backends:
        """Of the running worker. Raises RuntimeError where none runs."""
        if self._backends is None:
            raise RuntimeError("actors run in a worker; this process is none")
        return self._backends

    def before_worker_boot(self, _broker: Broker, _worker: Worker) -> None:
        with self._lock:
            self._pools += 1
            if self._pools > 1:
                return
            self._thread = _UvloopThread()
            self._thread.start(timeout=5.0)
            set_event_loop_thread(self._thread)
            self._thread.run_coroutine(self._open())

    def after_worker_shutdown(self, _broker: Broker, _worker: Worker) -> None:
        with self._lock:
            self._pools -= 1
            if self._pools or self._thread is None:
                return
            self._thread.run_coroutine(self._close())
            self._thread.stop()  # type: ignore[no-untyped-call]
            set_event_loop_thread(None)
            self._thread = None

    async def _open(self) -> None:
        self._stack = AsyncExitStack()
        self._backends = await self._stack.enter_async_context(
            open_backends(self._settings, is_background=True, observer=WorkerObserver())
        )
        heart = asyncio.get_running_loop().create_task(keep_beating(self._backends.database, "worker"))
        self._stack.push_async_callback(_cancel, heart)

    async def _close(self) -> None:
        assert self._stack is not None, "opened at boot"
        with contextlib.suppress(TimeoutError, UnavailableError):
            async with asyncio.timeout(1.5):
                await self._stack.aclose()
        self._backends = None


async def keep_beating(database: Database, role: str) -> None:
    """Says every few seconds that this process works; the last word is that it stops."""
    instance = f"{socket.gethostname()}:{os.getpid()}"
    try:
        while True:
            with contextlib.suppress(UnavailableError):
                async with database.writing() as session:
                    await beat(session, role=role, instance=instance)
            await asyncio.sleep(BEAT_SECONDS)
    finally:
        with contextlib.suppress(UnavailableError, TimeoutError):
            async with asyncio.timeout(0.5), database.writing() as session:
                await end_beat(session, role=role, instance=instance)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
