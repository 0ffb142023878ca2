"""The actor that forms notifications. Its message carries nothing: what is to be done stands in the table of activities."""

from __future__ import annotations

import time

import dramatiq
import structlog

from domain.errors import UnavailableError
from services.notifications.process_activities import process_activities
from workers.broker import broker, running_backends
from workers.queues import NOTIFICATIONS, NOTIFICATIONS_PRIORITY

_LONGEST_SECONDS = 2.0
"""Then the next message goes on: well within the time limit, and nobody else waits long for the thread."""

log = structlog.get_logger(__name__)


@dramatiq.actor(
    actor_name="notifications.process_activities", queue_name=NOTIFICATIONS, priority=NOTIFICATIONS_PRIORITY, broker=broker
)
async def process_due() -> None:
    """Batches until nothing is due."""
    until = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < until:
        try:
            processed = await process_activities(running_backends())
        except UnavailableError as error:
            # The rows are as they were: the relay looks again.
            log.warning("notifications.server_unavailable", error=type(error).__name__)
            return
        if not processed.taken:
            return
        log.debug("notifications.processed", taken=processed.taken, failed=processed.failed)
