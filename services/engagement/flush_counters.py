"""Adds what people did meanwhile to the counters of posts.

Shown counts are exact before and after, since they are read together with what is on its way; so this may wait, stop or die at
any step. It only keeps the way short.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from db.counters import add_changes, lock_posts, oldest_change_seconds, take_changes
from services.backends import Backends

BATCH_CHANGES = 2_000
STOP_AFTER_SECONDS = 2.0
"""Well below a job's time limit: what is left is another message's."""


@dataclass(frozen=True, slots=True)
class FlushedBatch:
    """One transaction. `oldest_seconds`: how long the first of its changes had waited when it was taken."""

    changes: int
    posts: int
    oldest_seconds: float


async def waiting_seconds(backends: Backends) -> float | None:
    """How long the oldest change has waited; None where there is none. Raises UnavailableError."""
    async with backends.database.reading() as session:
        return await oldest_change_seconds(session)


async def flush_counters(
    backends: Backends,
    *,
    on_batch: Callable[[FlushedBatch], None] = lambda _: None,
    at_step: Callable[[str], None] = lambda _: None,
) -> int:
    """Until nothing is left, or the time is up; how many changes were added. Any number of flushers may run at a time.

    `at_step` hears of each step before it is taken: tests end the work there. Raises UnavailableError.
    """
    stop_at = time.monotonic() + STOP_AFTER_SECONDS
    total = 0
    while time.monotonic() < stop_at:
        at_step("take")
        async with backends.database.writing() as session:
            taken = await take_changes(session, size=BATCH_CHANGES)
            if not taken:
                break
            at_step("lock")
            await lock_posts(session, [one.post_id for one in taken])
            at_step("add")
            await add_changes(session, taken)
            at_step("commit")
        at_step("end")
        changes = sum(one.changes for one in taken)
        on_batch(FlushedBatch(changes, len(taken), max(one.oldest_seconds for one in taken)))
        total += changes
        if changes < BATCH_CHANGES:
            break
    return total
