"""Use case: keys that nobody repeats any more are forgotten."""

from __future__ import annotations

import time
from datetime import timedelta

from db.idempotency_keys import delete_old_keys
from services.backends import Backends

KEEP = timedelta(hours=48)
"""Twice what is promised."""
_BATCH_SIZE = 5_000


async def forget_old_keys(backends: Backends, *, seconds: float) -> int:
    """Deletes keys older than KEEP, batch by batch, for about so long; how many it were."""
    stop_at = time.monotonic() + seconds
    deleted = 0
    while True:
        async with backends.database.writing() as session:
            batch = await delete_old_keys(session, older_than_seconds=KEEP.total_seconds(), size=_BATCH_SIZE)
        deleted += batch
        if batch < _BATCH_SIZE or time.monotonic() > stop_at:
            return deleted
