"""Use case: audit everybody's timelines, or a sample of those in the cache, and make wrong ones anew."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from cache.timeline_audit import TimelineReader
from db.timeline_audit import load_account_chunk, take_audit_turn
from services.backends import Backends
from services.feeds.audit_timelines import BATCH_SIZE, TimelineAudit, TimelineState, audit_batches, audit_timelines
from services.feeds.rebuild_many_timelines import rebuild_many_timelines

_SCHEDULED_BATCH = 50
"""In a process that has something else to do, too: it is kept from that for some milliseconds at a time."""


@dataclass(slots=True)
class AuditReport:
    """`accounts`: looked at; `cached`: those that have a timeline; `warm`: those whose timeline readers believe.

    `wrong`: what was found. `still_wrong`: what was found again after the repair; None where nothing was to be repaired.
    """

    accounts: int = 0
    cached: int = 0
    warm: int = 0
    wrong: list[TimelineAudit] = field(default_factory=list)
    still_wrong: list[TimelineAudit] | None = None

    def add(self, audits: Sequence[TimelineAudit]) -> None:
        for audit in audits:
            self.accounts += 1
            self.cached += audit.state is not TimelineState.ABSENT
            self.warm += audit.is_warm
            if not audit.is_right:
                self.wrong.append(audit)


async def audit_everybody(backends: Backends, *, repair: bool, on_progress: Callable[[int], None] | None = None) -> AuditReport:
    """Looks at every account, in the order of ids. `on_progress` is told how many have been looked at.

    Raises CacheUnavailableError or UnavailableError where a server is away.
    """
    return await _audit(backends, _all_accounts(backends), repair=repair, on_progress=on_progress)


async def audit_sample(backends: Backends, *, size: int, repair: bool, batch_size: int = BATCH_SIZE) -> AuditReport:
    """Looks at up to `size` timelines of the cache, at random. Raises as `audit_everybody`."""
    viewer_ids = await TimelineReader(backends.redis).sample(size)
    return await _audit(backends, _batches(viewer_ids, batch_size), repair=repair)


async def audit_in_turn(backends: Backends, *, size: int, every_seconds: float) -> AuditReport | None:
    """The regular audit: a sample, repaired. None where some process did it less than `every_seconds` ago."""
    async with backends.database.writing() as session:
        if not await take_audit_turn(session, every_seconds=every_seconds):
            return None
    return await audit_sample(backends, size=size, repair=True, batch_size=_SCHEDULED_BATCH)


async def _audit(
    backends: Backends,
    batches: AsyncIterator[Sequence[int]],
    *,
    repair: bool,
    on_progress: Callable[[int], None] | None = None,
) -> AuditReport:
    report = AuditReport()
    async for audits in audit_batches(backends, batches):
        report.add(audits)
        if on_progress is not None:
            on_progress(report.accounts)
    if repair and report.wrong:
        report.still_wrong = await _repair(backends, [audit.viewer_id for audit in report.wrong])
    return report


async def _repair(backends: Backends, viewer_ids: Sequence[int]) -> list[TimelineAudit]:
    await rebuild_many_timelines(backends, viewer_ids)
    still_wrong: list[TimelineAudit] = []
    for start in range(0, len(viewer_ids), BATCH_SIZE):
        audits = await audit_timelines(backends, viewer_ids[start : start + BATCH_SIZE])
        still_wrong += [audit for audit in audits if not audit.is_right]
    return still_wrong


async def _all_accounts(backends: Backends) -> AsyncIterator[Sequence[int]]:
    after_id = -1
    while True:
        async with backends.database.reading() as session:
            chunk = await load_account_chunk(session, after_id=after_id, size=BATCH_SIZE)
        if not chunk:
            return
        yield chunk
        after_id = chunk[-1]


async def _batches(viewer_ids: Sequence[int], size: int) -> AsyncIterator[Sequence[int]]:
    for start in range(0, len(viewer_ids), size):
        yield viewer_ids[start : start + size]
