"""The actors of upkeep: what nobody waits for, and must be done some day."""

from __future__ import annotations

import dramatiq
import structlog

from domain.errors import UnavailableError
from services.idempotency.forget_old_keys import forget_old_keys
from workers.broker import broker, running_backends
from workers.queues import UPKEEP, UPKEEP_PRIORITY

_SECONDS = 3.0
"""Well below the time limit of a job; the rest is for the next turn."""

log = structlog.get_logger(__name__)


@dramatiq.actor(actor_name="upkeep.forget_keys", queue_name=UPKEEP, priority=UPKEEP_PRIORITY, broker=broker)
async def forget_keys() -> None:
    """Idempotency keys that are older than anybody repeats."""
    try:
        deleted = await forget_old_keys(running_backends(), seconds=_SECONDS)
    except UnavailableError:
        log.warning("upkeep.database_unavailable")
        return
    if deleted:
        log.info("upkeep.keys_forgotten", count=deleted)
