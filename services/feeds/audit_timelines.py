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
from db.timeline_audit import TimelineOwner, load_belonging, load_settled_ids, load_timeline_owners
from domain.timeline_differences import TimelineDifference, TimelineFault, compare_slice
from services.backends import Backends
from services.feeds.batches import batches_by_weight

BATCH_SIZE = 500
"""Timelines audited together: a second or so of statements at worst, and some megabytes."""
_AT_A_TIME = 2
"""Batches under way: while one waits for PostgreSQL, the other one is compared."""
_SOURCES_A_STATEMENT = 20_000
"""Accounts whose posts one statement looks for: a tenth of a second, as a rule."""
_MISSING_LOOKED_FOR = 100
"""Pushed posts that are looked at beyond as many as the timeline has entries: more missing ones are not named."""


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
        owners = await self._owners(there)
        settled = await self._settled(there, owners)
        return _FirstLook(timelines, [self._seen(stored, owners, settled) for stored in timelines])

    async def _owners(self, timelines: Sequence[StoredTimeline]) -> dict[int, TimelineOwner]:
        async with self._backends.database.reading() as session:
            return await load_timeline_owners(session, [stored.viewer_id for stored in timelines])

    async def _settled(self, timelines: Sequence[StoredTimeline], owners: dict[int, TimelineOwner]) -> dict[int, list[int]]:
        """Of each timeline that somebody would believe, what is settled, as far down as its slice reaches."""
        wanted = list(self._wanted(timelines, owners))
        settled: dict[int, list[int]] = {}
        for part in batches_by_weight(wanted, lambda one: owners[one[0]].sources, _SOURCES_A_STATEMENT):
            async with self._backends.database.reading() as session:
                settled |= await load_settled_ids(session, part)
        return settled

    def _wanted(self, timelines: Sequence[StoredTimeline], owners: dict[int, TimelineOwner]) -> Iterator[tuple[int, int, int]]:
        for stored in timelines:
            if self._is_ready(stored, owners.get(stored.viewer_id)) and stored.marker is not None:
                if stored.marker.is_whole:
                    yield stored.viewer_id, 0, len(stored.ids) + _MISSING_LOOKED_FOR
                elif stored.ids:
                    yield stored.viewer_id, stored.ids[-1], len(stored.ids) + _MISSING_LOOKED_FOR

    def _is_current(self, stored: StoredTimeline, owner: TimelineOwner | None) -> bool:
        return owner is not None and stored.marker is not None and self._reader.is_current(stored.marker, owner.version)

    def _is_ready(self, stored: StoredTimeline, owner: TimelineOwner | None) -> bool:
        return self._is_current(stored, owner) and stored.marker is not None and stored.marker.is_ready

    def _seen(
        self, stored: StoredTimeline, owners: dict[int, TimelineOwner], settled: dict[int, list[int]]
    ) -> TimelineAudit | None:
        """The audit where nothing is suspicious."""
        if not stored.is_there:
            return TimelineAudit(stored.viewer_id, TimelineState.ABSENT)
        if stored.marker is None:
            return None
        if not self._is_current(stored, owners.get(stored.viewer_id)):
            return TimelineAudit(stored.viewer_id, TimelineState.COLD, len(stored.ids))
        if not stored.marker.is_ready or not stored.is_well_formed or stored.ids != settled.get(stored.viewer_id, []):
            return None
        if not stored.ids and not stored.marker.is_whole:
            return None
        return TimelineAudit(stored.viewer_id, TimelineState.WARM, len(stored.ids))

    async def look_again(self, suspects: Sequence[StoredTimeline]) -> list[TimelineAudit]:
        owners = await self._owners(suspects)
        settled = await self._settled(suspects, owners)
        timelines = await self._reader.read([stored.viewer_id for stored in suspects])
        endless = await self._endless(timelines, owners)
        pairs = {
            (stored.viewer_id, post_id)
            for stored in timelines
            if self._is_ready(stored, owners.get(stored.viewer_id))
            for post_id in set(stored.ids).symmetric_difference(settled.get(stored.viewer_id, []))
        }
        async with self._backends.database.reading() as session:
            belonging = await load_belonging(session, pairs)
        owners_now = await self._owners(suspects)
        audits = []
        for stored in timelines:
            viewer_id = stored.viewer_id
            owner = owners.get(viewer_id)
            if owners_now.get(viewer_id) != owner:
                # Whom the viewer follows has changed meanwhile: what was compared, nobody believes any more.
                audits.append(TimelineAudit(viewer_id, TimelineState.COLD, len(stored.ids)))
                continue
            known = settled.get(viewer_id, [])
            # What was settled and is in the timeline needs no second look.
            may = {post_id for post_id in known if (viewer_id, post_id) not in pairs}
            may.update(post_id for post_id in stored.ids if (viewer_id, post_id) in belonging)
            due = [post_id for post_id in known if belonging.get((viewer_id, post_id), False)]
            audits.append(self._judge(stored, owner, due=due, belonging=may, is_endless=viewer_id in endless))
        return audits

    async def _endless(self, timelines: Sequence[StoredTimeline], owners: dict[int, TimelineOwner]) -> set[int]:
        building = [
            stored.viewer_id
            for stored in timelines
            if self._is_current(stored, owners.get(stored.viewer_id)) and stored.marker and not stored.marker.is_ready
        ]
        return await self._reader.find_endless_marks(building) if building else set()

    def _judge(
        self, stored: StoredTimeline, owner: TimelineOwner | None, *, due: list[int], belonging: set[int], is_endless: bool
    ) -> TimelineAudit:
        viewer_id, entries = stored.viewer_id, len(stored.ids)
        if not stored.is_there:
            return TimelineAudit(viewer_id, TimelineState.ABSENT)
        if owner is None:  # of no account: nobody will ever read it
            return TimelineAudit(viewer_id, TimelineState.COLD, entries)
        marker = stored.marker
        if marker is None:
            if not stored.is_sorted_set:
                fault = TimelineFault.WRONG_TYPE
            else:
                fault = TimelineFault.UNREADABLE_MARKER if stored.has_marker else TimelineFault.NO_MARKER
            return TimelineAudit(viewer_id, TimelineState.COLD, entries, (TimelineDifference(fault),))
        if not self._is_current(stored, owner):
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
