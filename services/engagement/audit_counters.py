"""The sweep: counters against the rows that they count, newest posts first, in parts that come round."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from db.counter_audit import CounterDrift, compare_counters, repair_counters
from db.walks import load_place, store_place
from domain.ids import MAX_ID
from services.backends import Backends

BATCH_POSTS = 1_000
SWEEP_SECONDS = 2.0
"""Of one turn: some ten thousand posts."""
_WALK = "counters"


@dataclass(slots=True)
class CounterReport:
    """What was found. `repaired`: how many of the drifted were set right."""

    compared: int = 0
    drifted: list[CounterDrift] = field(default_factory=list)
    repaired: int = 0
    is_whole: bool = False
    """The oldest post was reached."""


async def sweep_counters(backends: Backends, *, seconds: float = SWEEP_SECONDS) -> CounterReport:
    """Goes on where the last sweep stopped, and sets right what is wrong. Raises UnavailableError."""
    async with backends.database.reading() as session:
        place = await load_place(session, _WALK)

    async def keep(below_id: int) -> None:
        async with backends.database.writing() as session:
            await store_place(session, _WALK, below_id)

    stop_at = time.monotonic() + seconds
    report = CounterReport()
    below = place if place is not None else MAX_ID
    while True:
        below = await _compare_part(backends, report, below, repair=True)
        await keep(MAX_ID if report.is_whole else below)
        if report.is_whole or time.monotonic() >= stop_at:
            return report


async def audit_counters(
    backends: Backends, *, repair: bool, most_posts: int | None = None, on_progress: Callable[[int], None] = lambda _: None
) -> CounterReport:
    """The newest posts, or all of them (None). Raises UnavailableError."""
    report = CounterReport()
    below = MAX_ID
    while not report.is_whole and (most_posts is None or report.compared < most_posts):
        below = await _compare_part(backends, report, below, repair=repair)
        on_progress(report.compared)
    return report


async def repair_drift(backends: Backends, drifted: Sequence[CounterDrift]) -> None:
    """Counts these posts anew, each under its own lock, while people go on; their watchers are told."""
    for drift in drifted:
        async with backends.database.writing() as session:
            await repair_counters(session, drift.post_id)
    backends.live_bell.ring_counts([drift.post_id for drift in drifted])


async def _compare_part(backends: Backends, report: CounterReport, below_id: int, *, repair: bool) -> int:
    async with backends.database.reading() as session:
        part = await compare_counters(session, below_id=below_id, size=BATCH_POSTS)
    report.compared += part.count
    report.is_whole = part.count < BATCH_POSTS
    report.drifted += part.drifted
    if repair and part.drifted:
        await repair_drift(backends, part.drifted)
        report.repaired += len(part.drifted)
    return part.last_id if part.last_id is not None else below_id
