"""Rebuilds a cold timeline inside the read that found it cold; one reader at a time, over all processes."""

from __future__ import annotations

from db.database import ReadSession
from db.feed_candidates import load_pushed_ids
from domain.timeline_version import TimelineVersion
from services.backends import Backends


async def rebuild_timeline(
    backends: Backends, session: ReadSession, viewer_id: int, *, version: TimelineVersion
) -> list[int] | None:
    """The pushed posts of everybody followed, newest first: at most the cap and one more. None where somebody else is at it.

    The order makes it exact: the key is marked as building, so that fan-out writes to it from now on; only then the database is
    read (the primary, through the caller's session); then the rows are added and the timeline is made ready, if the mark still
    stands. Raises CacheUnavailableError.
    """
    claim = await backends.timelines.begin_building(viewer_id, version=version)
    if claim is None:
        return None
    rows = await load_pushed_ids(session, viewer_id, size=backends.timelines.cap + 1)
    await backends.timelines.finish_building(claim, rows)
    backends.observer.timeline_was_rebuilt()
    return rows
