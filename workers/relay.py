"""The relay: leases due outbox rows and puts them on the queue. It never closes a row; only the worker that did the work does.

Rung by NOTIFY after a commit, and polls besides. Several relays are safe: each passes over what another one is leasing.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

import asyncpg
import structlog

from db import outbox
from db.database import asyncpg_url
from domain.errors import UnavailableError
from services.backends import Backends
from settings import Settings

BATCH_SIZE = 200
MAX_QUEUED = 400
"""Messages under way, beyond which only what one more look finds is added: a lease that ends before its turn is work for
nothing, and once more when the row is sent again."""
_ROOM_SECONDS = 0.02
_LONGEST_ROOM_SECONDS = 0.2
_RECONNECT_SECONDS = 1.0
_LISTEN_TIMEOUT_SECONDS = 3.0
_BROKER_PAUSE_SECONDS = 1.0
_SWEEP_SECONDS = 300.0

log = structlog.get_logger(__name__)


class Relay:
    """One relay process. Runs until cancelled."""

    def __init__(self, backends: Backends, settings: Settings, *, on_ring: Callable[[], None] = lambda: None) -> None:
        """`on_ring`: whoever else wants to know that something was committed."""
        self._on_ring = on_ring
        self._backends = backends
        self._settings = settings
        self._rung = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(), name="relay-listen")
            group.create_task(self._sweep(), name="relay-sweep")
            group.create_task(self._dispatch(), name="relay-dispatch")

    async def _dispatch(self) -> None:
        unasked = 0
        while True:
            # Cleared before looking: a ring during the look is for the next one.
            self._rung.clear()
            try:
                sent = await self.dispatch_due()
            except UnavailableError:
                log.warning("relay.database_unavailable")
                await asyncio.sleep(_RECONNECT_SECONDS)
                continue
            unasked += sent
            if unasked >= BATCH_SIZE:
                # Also where they come a few at a time: whoever is rung for each post finds no more at once.
                await self._wait_for_room()
                unasked = 0
            if sent < BATCH_SIZE:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.outbox_poll_seconds):
                        await self._rung.wait()

    async def _wait_for_room(self) -> None:
        """Until workers have done most of what was sent: the rows of a backlog can wait where they are, unleased."""
        pause = _ROOM_SECONDS
        while await asyncio.to_thread(_count_queued) > MAX_QUEUED:
            await asyncio.sleep(pause)
            pause = min(1.5 * pause, _LONGEST_ROOM_SECONDS)

    async def dispatch_due(self) -> int:
        """Leases and sends one batch; how many rows it was. What the queue does not take is due again a second later."""
        async with self._backends.database.at_once() as session:
            events = await outbox.lease_due_events(session, size=BATCH_SIZE, lease_seconds=self._settings.outbox_lease_seconds)
        if not events:
            return 0
        sent = await asyncio.to_thread(_send, events)
        if sent < len(events):
            log.warning("relay.broker_unavailable", waiting=len(events) - sent)
            async with self._backends.database.writing() as session:
                rest = [event.id for event in events[sent:]]
                await outbox.give_back_events(session, rest, seconds=_BROKER_PAUSE_SECONDS)
            await asyncio.sleep(_BROKER_PAUSE_SECONDS)
        return len(events)

    async def _listen(self) -> None:
        """Turns NOTIFY into rings. Each new connection rings too: what was said meanwhile was said to nobody."""
        url = (self._settings.database_listen_url or self._settings.database_url).get_secret_value()
        url = url or self._settings.database_url.get_secret_value()
        while True:
            try:
                connection = await asyncpg.connect(
                    asyncpg_url(url), timeout=_LISTEN_TIMEOUT_SECONDS, command_timeout=_LISTEN_TIMEOUT_SECONDS
                )
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(_RECONNECT_SECONDS)
                continue
            try:
                lost = asyncio.Event()
                connection.add_termination_listener(lambda _, lost=lost: lost.set())
                await connection.add_listener(outbox.RELAY_CHANNEL, lambda *_: self._ring())
                self._ring()
                await lost.wait()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(_RECONNECT_SECONDS)
            finally:
                connection.terminate()
            log.warning("relay.listen_lost")

    def _ring(self) -> None:
        self._rung.set()
        self._on_ring()

    async def _sweep(self) -> None:
        """Deletes closed rows that no live cursor can need any more."""
        while True:
            stop_at = time.monotonic() + _SWEEP_SECONDS / 10
            with contextlib.suppress(UnavailableError):
                while time.monotonic() < stop_at:
                    async with self._backends.database.writing() as session:
                        purged = await outbox.purge_closed_events(
                            session, older_than_seconds=self._settings.outbox_retention.total_seconds()
                        )
                    if not purged:
                        break
            await asyncio.sleep(_SWEEP_SECONDS)


def _count_queued() -> int:
    from workers.fan_out import count_queued  # as in `_send`

    try:
        return count_queued()
    except Exception:
        # Sending finds out, too, and says so.
        log.debug("relay.count_failed", exc_info=True)
        return 0


def _send(events: list[outbox.LeasedEvent]) -> int:
    """How many of them the queue took, from the first on."""
    # Imported here, on first use: binding actors to a broker needs its address.
    from workers.fan_out import send_event

    for number, event in enumerate(events):
        try:
            send_event(event.id, event.attempt, event.follower_count)
        except Exception:
            log.debug("relay.send_failed", exc_info=True)
            return number
    return len(events)
