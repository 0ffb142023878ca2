"""What `tidings doctor` says of the counters of posts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from app.cli.progress import show_progress

if TYPE_CHECKING:
    from db.counter_audit import CounterDrift
    from services.backends import Backends

NEWEST_POSTS = 20_000
_SHOWN = 20


async def audit_counters_of(backends: Backends, *, repair: bool, everything: bool) -> dict[str, Any]:
    """Counts the newest posts' likes, comments and shares again, or those of all posts."""
    from services.engagement.audit_counters import audit_counters
    from services.importing.progress import Progress

    began = time.monotonic()
    with show_progress() as show:
        report = await audit_counters(
            backends,
            repair=repair,
            most_posts=None if everything else NEWEST_POSTS,
            on_progress=lambda done: show(Progress("count", done, None, "posts")),
        )
    seconds = time.monotonic() - began
    rate = round(report.compared / max(seconds, 1e-3))
    return {
        "checked": report.compared,
        "seconds": round(seconds, 3),
        "per_second": rate,
        "repaired": report.repaired,
        "wrong": [_as_json(drift) for drift in report.drifted],
        "text": f"{report.compared:,} posts counted anew, {len(report.drifted):,} wrong; {rate:,}/s",
        "lines": [_line(drift, is_repaired=repair) for drift in report.drifted[:_SHOWN]],
    }


def _differences(drift: CounterDrift) -> dict[str, tuple[int, int]]:
    kinds = {"likes": drift.likes, "comments": drift.comments, "shares": drift.shares}
    return {kind: (shown, true) for kind, (shown, true) in kinds.items() if shown != true}


def _as_json(drift: CounterDrift) -> dict[str, Any]:
    found = {kind: {"shown": shown, "true": true} for kind, (shown, true) in _differences(drift).items()}
    return {"post": drift.post_id, **found}


def _line(drift: CounterDrift, *, is_repaired: bool) -> str:
    found = ", ".join(f"{shown} {kind} instead of {true}" for kind, (shown, true) in _differences(drift).items())
    return f"      post {drift.post_id}: {found}{' (counted again)' if is_repaired else ''}"
