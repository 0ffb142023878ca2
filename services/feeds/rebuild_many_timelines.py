"""Use case: make many timelines anew from the truth, for operators and the auditor."""

from __future__ import annotations

from collections.abc import Sequence

from db.timeline_audit import load_pushed_ids_of_many, load_timeline_owners
from services.backends import Backends
from services.feeds.batches import batches_by_weight

REBUILD_BATCH_SIZE = 250
_SOURCES_A_STATEMENT = 20_000
"""Accounts whose newest posts are read together, within the life of the building marks."""


async def rebuild_many_timelines(backends: Backends, viewer_ids: Sequence[int]) -> int:
    """Forgets the timelines and builds them in the order of a single rebuild: mark, read the truth, store. How many were made.

    The others are of no account, were taken over by a reader meanwhile, or took so long that their marks ended: cold, so right.
    Raises CacheUnavailableError or UnavailableError.
    """
    made = 0
    for start in range(0, len(viewer_ids), REBUILD_BATCH_SIZE):
        made += await _rebuild(backends, viewer_ids[start : start + REBUILD_BATCH_SIZE])
    return made


async def _rebuild(backends: Backends, viewer_ids: Sequence[int]) -> int:
    timelines = backends.timelines
    await timelines.forget(viewer_ids)
    async with backends.database.reading() as session:
        owners = await load_timeline_owners(session, viewer_ids)
    made = 0
    for part in batches_by_weight(list(owners), lambda viewer_id: owners[viewer_id].sources, _SOURCES_A_STATEMENT):
        claims = await timelines.begin_building_many({viewer_id: owners[viewer_id].version for viewer_id in part})
        sources = {claim.owner_id: owners[claim.owner_id].sources for claim in claims}
        async with backends.database.reading() as session:
            rows = await load_pushed_ids_of_many(session, sources, size=timelines.cap + 1)
        made += await timelines.finish_building_many([(claim, rows.get(claim.owner_id, ())) for claim in claims])
    return made
