"""Use case: make many timelines anew from the truth, for operators and the auditor."""

from __future__ import annotations

from collections.abc import Sequence

from cache.timeline_batches import TimelineBatches
from db.timeline_audit import load_pushed_ids_of_many, load_timeline_versions
from services.backends import Backends

REBUILD_BATCH_SIZE = 250
"""Timelines made together: well within the life of a building mark."""


async def rebuild_many_timelines(backends: Backends, viewer_ids: Sequence[int]) -> int:
    """Forgets the timelines and builds them in the order of a single rebuild: mark, read the truth, store. How many were made.

    The others are of no account, were taken over by a reader meanwhile, or took so long that their marks ended: cold, so right.
    Raises CacheUnavailableError or UnavailableError.
    """
    batches = TimelineBatches(backends.redis, backends.timelines)
    made = 0
    for start in range(0, len(viewer_ids), REBUILD_BATCH_SIZE):
        batch = viewer_ids[start : start + REBUILD_BATCH_SIZE]
        await batches.forget(batch)
        async with backends.database.reading() as session:
            claims = await batches.begin_building(await load_timeline_versions(session, batch))
            claimed = [claim.viewer_id for claim in claims]
            rows = await load_pushed_ids_of_many(session, claimed, size=backends.timelines.cap + 1)
        made += await batches.finish_building(claims, rows)
    return made
