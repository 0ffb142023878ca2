"""Use case: compare cached timelines with the truth, many at a time, while everything is running.

A timeline is right when it holds every post that a reader would not get from anywhere else, and nothing that no rule brings
there; `domain.timeline_differences` names what can be wrong. Posts whose fan-out is open may be missing: readers merge them.
Deleted and hidden ones may be left behind: readers filter them.

Two looks make it exact. The first takes the timelines and then the truth; where both are equal, that is that. The others are
looked at again in the order of a reader: the settled posts first, then the timeline (a post that was settled then had been in
every warm timeline before), and at last once more what is suspicious, and the graph versions. A difference that
remains was there all the time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from cache.timeline_audit import StoredTimeline, TimelineReader
from db.timeline_audit import load_belonging, load_settled_ids, load_timeline_versions
from domain.timeline_differences import TimelineDifference, TimelineFault, compare_slice
from domain.timeline_version import TimelineVersion
from services.backends import Backends

BATCH_SIZE = 500
"""Timelines audited together: a second or so of statements at worst, and some megabytes."""
_AT_A_TIME = 2
"""Batches under way: while one waits for PostgreSQL, the other one is compared."""
MISSING_LOOKED_FOR = 1_000
"""Pushed posts that are looked at beyond as many as the timeline has entries."""


class TimelineState(Enum):
    """What readers make of it. ABSENT: the viewer has none. COLD: nobody believes it, so nothing in it can be wrong."""

    ABSENT = "absent"
    COLD = "cold"
    BUILDING = "building"
    WARM = "warm"


@dataclass(frozen=True, slots=True)
class TimelineAudit:
    """What one timeline is, and what is wrong with it."""

    viewer_id: int
    state: TimelineState
    entries: int = 0
    differences: tuple[TimelineDifference, ...] = ()

    @property
    def is_warm(self) -> bool:
        return self.state is TimelineState.WARM

    @property
    def is_right(self) -> bool:
        return not self.differences

    @property
    def missing(self) -> list[int]:
        """Posts that a reader would not find, for whatever reason."""
        faults = (TimelineFault.MISSING, TimelineFault.FALSELY_WHOLE)
        return [post_id for found in self.differences if found.fault in faults for post_id in found.post_ids]


async def audit_timeline(backends: Backends, viewer_id: int) -> TimelineAudit:
    """Compares one timeline. Raises CacheUnavailableError or UnavailableError."""
    [audit] = await audit_timelines(backends, [viewer_id])
    return audit


async def audit_timelines(backends: Backends, viewer_ids: Sequence[int]) -> list[TimelineAudit]:
    """Compares a batch, in its order. Raises CacheUnavailableError or UnavailableError where a server is away."""
    auditor = _Auditor(backends)
    seen = await auditor.look(viewer_ids)
    suspects = [stored for stored, audit in zip(seen.timelines, seen.audits, strict=True) if audit is None]
    confirmed = {audit.viewer_id: audit for audit in await auditor.look_again(suspects)} if suspects else {}
    return [audit or confirmed[viewer_id] for viewer_id, audit in zip(viewer_ids, seen.audits, strict=True)]


async def audit_batches(
    backends: Backends, batches: AsyncIterator[Sequence[int]], *, at_a_time: int = _AT_A_TIME
) -> AsyncIterator[list[TimelineAudit]]:
    """Audits one batch after the other, some of them at the same time."""
    under_way: deque[asyncio.Task[list[TimelineAudit]]] = deque()
    try:
        async for batch in batches:
            under_way.append(asyncio.create_task(audit_timelines(backends, batch)))
            if len(under_way) >= at_a_time:
                yield await under_way.popleft()
        while under_way:
            yield await under_way.popleft()
    finally:
        for task in under_way:
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task


@dataclass(frozen=True, slots=True)
class _FirstLook:
    """`audits`: None for those that must be looked at again."""

    timelines: list[StoredTimeline]
    audits: list[TimelineAudit | None]


class _Auditor:
    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._reader = TimelineReader(backends.redis)

    async def look(self, viewer_ids: Sequence[int]) -> _FirstLook:
        timelines = await self._reader.read(viewer_ids)
        there = [stored for stored in timelines if stored.is_there]
        if not there:
            return _FirstLook(timelines, [self._seen(stored, {}, {}) for stored in timelines])
        async with self._backends.database.reading() as session:
            versions = await load_timeline_versions(session, [stored.viewer_id for stored in there])
            settled = await load_settled_ids(session, list(self._wanted(there, versions)))
        return _FirstLook(timelines, [self._seen(stored, versions, settled) for stored in timelines])

    def _wanted(
        self, timelines: Sequence[StoredTimeline], versions: dict[int, TimelineVersion]
    ) -> Iterator[tuple[int, int, int]]:
        for stored in timelines:
            if self._is_ready(stored, versions.get(stored.viewer_id)) and stored.marker is not None:
                if stored.marker.is_whole:
                    yield stored.viewer_id, 0, len(stored.ids) + MISSING_LOOKED_FOR
                elif stored.ids:
                    yield stored.viewer_id, stored.ids[-1], len(stored.ids) + MISSING_LOOKED_FOR

    def _is_current(self, stored: StoredTimeline, version: TimelineVersion | None) -> bool:
        return version is not None and stored.marker is not None and self._reader.is_current(stored.marker, version)

    def _is_ready(self, stored: StoredTimeline, version: TimelineVersion | None) -> bool:
        return self._is_current(stored, version) and stored.marker is not None and stored.marker.is_ready

    def _seen(
        self, stored: StoredTimeline, versions: dict[int, TimelineVersion], settled: dict[int, list[int]]
    ) -> TimelineAudit | None:
        """The audit where nothing is suspicious."""
        if not stored.is_there:
            return TimelineAudit(stored.viewer_id, TimelineState.ABSENT)
        if stored.marker is None:
            return None
        version = versions.get(stored.viewer_id)
        if not self._is_current(stored, version):
            return TimelineAudit(stored.viewer_id, TimelineState.COLD, len(stored.ids))
        if not stored.marker.is_ready or not stored.is_well_formed or stored.ids != settled.get(stored.viewer_id, []):
            return None
        if not stored.ids and not stored.marker.is_whole:
            return None
        return TimelineAudit(stored.viewer_id, TimelineState.WARM, len(stored.ids))

    async def look_again(self, suspects: Sequence[StoredTimeline]) -> list[TimelineAudit]:
        viewer_ids = [stored.viewer_id for stored in suspects]
        async with self._backends.database.reading() as session:
            versions = await load_timeline_versions(session, viewer_ids)
            settled = await load_settled_ids(session, list(self._wanted(suspects, versions)))
            timelines = await self._reader.read(viewer_ids)
            endless = await self._endless(timelines, versions)
            pairs = {
                (stored.viewer_id, post_id)
                for stored in timelines
                if self._is_ready(stored, versions.get(stored.viewer_id))
                for post_id in set(stored.ids).symmetric_difference(settled.get(stored.viewer_id, []))
            }
            belonging = await load_belonging(session, pairs)
            versions_now = await load_timeline_versions(session, viewer_ids)
        audits = []
        for stored in timelines:
            viewer_id = stored.viewer_id
            if versions_now.get(viewer_id) != versions.get(viewer_id):
                # Whom the viewer follows has changed meanwhile: what was compared, nobody believes any more.
                audits.append(TimelineAudit(viewer_id, TimelineState.COLD, len(stored.ids)))
                continue
            known = settled.get(viewer_id, [])
            # What was settled and is in the timeline needs no second look.
            may = {post_id for post_id in known if (viewer_id, post_id) not in pairs}
            may.update(post_id for post_id in stored.ids if (viewer_id, post_id) in belonging)
            due = [post_id for post_id in known if belonging.get((viewer_id, post_id), False)]
            version = versions.get(viewer_id)
            audits.append(self._judge(stored, version, due=due, belonging=may, is_endless=viewer_id in endless))
        return audits

    async def _endless(self, timelines: Sequence[StoredTimeline], versions: dict[int, TimelineVersion]) -> set[int]:
        building = [
            stored.viewer_id
            for stored in timelines
            if self._is_current(stored, versions.get(stored.viewer_id)) and stored.marker and not stored.marker.is_ready
        ]
        return await self._reader.find_endless_marks(building) if building else set()

    def _judge(
        self, stored: StoredTimeline, version: TimelineVersion | None, *, due: list[int], belonging: set[int], is_endless: bool
    ) -> TimelineAudit:
        viewer_id, entries = stored.viewer_id, len(stored.ids)
        if not stored.is_there:
            return TimelineAudit(viewer_id, TimelineState.ABSENT)
        if version is None:  # of no account: nobody will ever read it
            return TimelineAudit(viewer_id, TimelineState.COLD, entries)
        marker = stored.marker
        if marker is None:
            if not stored.is_sorted_set:
                fault = TimelineFault.WRONG_TYPE
            else:
                fault = TimelineFault.UNREADABLE_MARKER if stored.has_marker else TimelineFault.NO_MARKER
            return TimelineAudit(viewer_id, TimelineState.COLD, entries, (TimelineDifference(fault),))
        if not self._is_current(stored, version):
            return TimelineAudit(viewer_id, TimelineState.COLD, entries)
        if not marker.is_ready:
            found = (TimelineDifference(TimelineFault.ENDLESS_BUILDING),) if is_endless else ()
            return TimelineAudit(viewer_id, TimelineState.BUILDING, entries, found)
        differences = compare_slice(stored.ids, is_whole=marker.is_whole, due=due, belonging=belonging)
        if stored.twice:
            differences.append(TimelineDifference(TimelineFault.TWICE, tuple(stored.twice)))
        if stored.misplaced:
            differences.append(TimelineDifference(TimelineFault.OUT_OF_ORDER, tuple(stored.misplaced)))
        if stored.no_ids:
            differences.append(TimelineDifference(TimelineFault.NO_ID, elements=tuple(stored.no_ids)))
        if not stored.ids and not marker.is_whole:
            differences.append(TimelineDifference(TimelineFault.CUT_BUT_EMPTY))
        return TimelineAudit(viewer_id, TimelineState.WARM, entries, tuple(differences))
