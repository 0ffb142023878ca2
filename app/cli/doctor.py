"""`tidings doctor`: is everything as it should be?"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.counter_findings import audit_counters_of
from app.cli.progress import show_progress
from app.cli.servers import DEFAULT_DATA_DIR, DataDir, with_servers
from settings import Settings

if TYPE_CHECKING:
    from services.backends import Backends
    from services.feeds.audit_accounts import AuditReport
    from services.feeds.audit_timelines import TimelineAudit

MAX_OPEN_SECONDS = 60.0
DEFAULT_SAMPLE = 1_000
_SHOWN_IDS = 5


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(
    repair: Annotated[bool, typer.Option("--repair", help="Make wrong timelines anew, count wrong counters again.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON, with all ids.")] = False,
    everybody: Annotated[bool, typer.Option("--all", help="All timelines and counters instead of samples.")] = False,
    sample: Annotated[
        int | None, typer.Option(min=1, show_default=str(DEFAULT_SAMPLE), help="How many cached timelines to compare.")
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Check servers, migrations and the outbox; compare cached timelines and the counters of posts with the database.

    Status 1 where anything was found, repaired or not.
    """
    if everybody and sample is not None:
        typer.echo("tidings doctor: either --all or --sample", err=True)
        raise typer.Exit(2)

    async def work(settings: Settings) -> dict[str, Any]:
        return await _examine(settings, repair=repair, sample=None if everybody else sample or DEFAULT_SAMPLE)

    findings = with_servers(data_dir, "doctor", work)
    if as_json:
        typer.echo(json.dumps(findings))
    else:
        for line in findings["lines"]:
            typer.echo(line)
    if not findings["ok"]:
        raise typer.Exit(1)


async def _examine(settings: Settings, *, repair: bool, sample: int | None) -> dict[str, Any]:
    from bootstrap import open_backends
    from cache.compact_encoding import SETTING, entries_needed, load_entries_allowed
    from db.activities import count_activities
    from db.outbox import count_events
    from migrations.run import current_revision, newest_revision

    problems: list[str] = []
    lines: list[str] = []
    timelines: dict[str, Any] | None = None
    counters: dict[str, Any] | None = None

    def note(name: str, is_right: bool, text: str) -> None:
        lines.append(f"{'ok   ' if is_right else 'WRONG'} {name}: {text}")
        if not is_right:
            problems.append(f"{name}: {text}")

    async with open_backends(settings, is_background=True) as backends:
        current = await current_revision(backends.database)
        newest = newest_revision()
        note("database", True, "reachable")
        note("migrations", current == newest, f"at {current or 'none'}, newest {newest}")
        is_cache_there = await backends.redis.is_reachable()
        note("cache", is_cache_there, "reachable" if is_cache_there else "does not answer")
        if is_cache_there and (allowed := await load_entries_allowed(backends.redis)) is not None:
            needed = entries_needed(settings.feed_cap)
            text = f"{SETTING} is {allowed}, timelines have up to {needed}"
            note(
                "compact timelines",
                allowed >= needed,
                text if allowed >= needed else f"{text}: memory for several times as many",
            )
        if current == newest:
            async with backends.database.reading() as session:
                totals = await count_events(session)
                activities = await count_activities(session)
            note(
                "outbox",
                totals.oldest_open_seconds < MAX_OPEN_SECONDS or totals.open == 0,
                f"{totals.open} open, oldest {totals.oldest_open_seconds:.0f} s",
            )
            note("parked events", totals.parked == 0, str(totals.parked))
            note(
                "activities",
                activities.oldest_open_seconds < MAX_OPEN_SECONDS or activities.open == 0,
                f"{activities.open} open, oldest {activities.oldest_open_seconds:.0f} s",
            )
            note("parked activities", activities.parked == 0, str(activities.parked))
            if is_cache_there:
                report, seconds = await _audit(backends, repair=repair, sample=sample)
                timelines = await _as_json(backends, report, seconds)
                text = f"{report.accounts:,} looked at, {report.cached:,} in the cache, {report.warm:,} warm"
                note("timelines", not report.wrong, f"{text}, {len(report.wrong):,} wrong; {timelines['per_second']:,}/s")
                lines.extend(line for wrong in timelines["wrong"] for line in _lines_of(wrong))
            counters = await audit_counters_of(backends, repair=repair, everything=sample is None)
            note("counters", not counters["wrong"], counters["text"])
            lines.extend(counters["lines"])
    return {"ok": not problems, "problems": problems, "timelines": timelines, "counters": counters, "lines": lines}


async def _audit(backends: Backends, *, repair: bool, sample: int | None) -> tuple[AuditReport, float]:
    from db.timeline_audit import count_accounts
    from services.feeds.audit_accounts import audit_everybody, audit_sample
    from services.importing.progress import Progress

    began = time.monotonic()
    if sample is not None:
        report = await audit_sample(backends, size=sample, repair=repair)
    else:
        async with backends.database.reading() as session:
            total = await count_accounts(session)
        with show_progress() as show:
            report = await audit_everybody(
                backends, repair=repair, on_progress=lambda done: show(Progress("compare", done, max(done, total), "timelines"))
            )
    return report, time.monotonic() - began


async def _as_json(backends: Backends, report: AuditReport, seconds: float) -> dict[str, Any]:
    from db.timeline_audit import load_usernames

    async with backends.database.reading() as session:
        usernames = await load_usernames(session, [audit.viewer_id for audit in report.wrong])
    still_wrong = {audit.viewer_id for audit in report.still_wrong or ()}
    is_repaired = report.still_wrong is not None
    return {
        "accounts": report.accounts,
        "checked": report.cached,
        "warm": report.warm,
        "seconds": round(seconds, 3),
        "per_second": round(report.accounts / max(seconds, 1e-3)),
        "repaired": len(report.wrong) - len(still_wrong) if is_repaired else 0,
        "wrong": [
            {
                "viewer": audit.viewer_id,
                "username": usernames.get(audit.viewer_id),
                "repaired": is_repaired and audit.viewer_id not in still_wrong,
                "still_wrong": audit.viewer_id in still_wrong,
                "differences": _differences(audit),
            }
            for audit in report.wrong
        ],
    }


def _differences(audit: TimelineAudit) -> list[dict[str, Any]]:
    return [
        {"kind": found.fault.value, "posts": list(found.post_ids), "elements": list(found.elements)}
        for found in audit.differences
    ]


def _lines_of(wrong: dict[str, Any]) -> list[str]:
    outcome = " (made anew)" if wrong["repaired"] else " (made anew, and still wrong)" if wrong["still_wrong"] else ""
    lines = []
    for found in wrong["differences"]:
        named = [str(post_id) for post_id in found["posts"]] or [repr(element) for element in found["elements"]]
        more = f" and {len(named) - _SHOWN_IDS} more" if len(named) > _SHOWN_IDS else ""
        what = f" {', '.join(named[:_SHOWN_IDS])}{more}" if named else ""
        lines.append(f"      @{wrong['username']}: {found['kind']}{what}{outcome}")
    return lines
