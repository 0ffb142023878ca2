"""The live side of a process, for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

from live.event_logs import EventLogs
from live.listener import BellListener
from services.backends import Backends
from services.live.hub import Deliver, LiveHub, take_all


def idle_hub(backends: Backends) -> LiveHub:
    """One that does nothing: for operations that watch nothing."""
    return LiveHub(backends, EventLogs(backends.redis))


@asynccontextmanager
async def running_hub(
    backends: Backends,
    *,
    deliver: Deliver = take_all,
    on_suspended: Callable[[Collection[int]], None] = lambda _ids: None,
) -> AsyncIterator[LiveHub]:
    """With its listener. `deliver`: as the web process has it; otherwise everybody takes events directly."""
    hub = LiveHub(backends, EventLogs(backends.redis), deliver=deliver, on_suspended=on_suspended)
    hub.start()
    listener = BellListener(backends.redis.url, hub.ring)
    listener.start()
    try:
        yield hub
    finally:
        await listener.stop()
        await hub.stop()
