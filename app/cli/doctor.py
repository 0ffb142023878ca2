"""`tidings doctor`: is everything as it should be?"""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from app.cli.servers import DEFAULT_DATA_DIR, DataDir, with_servers
from settings import Settings

MAX_OPEN_SECONDS = 60.0
SHOWN_TIMELINES = 20


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(
    repair: Annotated[bool, typer.Option("--repair", help="Make wrong timelines anew.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Check servers, migrations and the outbox; compare cached feeds with the database. Status 1 where something is wrong."""

    async def work(settings: Settings) -> dict[str, Any]:
        return await _examine(settings, repair)

    findings = with_servers(data_dir, "doctor", work)
    if as_json:
        typer.echo(json.dumps(findings))
    else:
        for line in findings["lines"]:
            typer.echo(line)
    if not findings["ok"]:
        raise typer.Exit(1)


async def _examine(settings: Settings, repair: bool) -> dict[str, Any]:
    from bootstrap import open_backends
    from db.outbox import count_events
    from migrations.run import current_revision, newest_revision
    from services.feeds.audit_timelines import audit_timeline, repair_timeline

    problems: list[str] = []
    lines: list[str] = []
    wrong: list[dict[str, Any]] = []
    checked = warm = 0

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
        if current == newest:
            async with backends.database.reading() as session:
                totals = await count_events(session)
            note(
                "outbox",
                totals.oldest_open_seconds < MAX_OPEN_SECONDS or totals.open == 0,
                f"{totals.open} open, oldest {totals.oldest_open_seconds:.0f} s",
            )
            note("parked events", totals.parked == 0, str(totals.parked))
            if is_cache_there:
                viewer_ids = {viewer_id async for viewer_id in backends.timelines.viewer_ids()}
                for viewer_id in sorted(viewer_ids):
                    audit = await audit_timeline(backends, viewer_id)
                    checked += 1
                    warm += audit.is_warm
                    if not audit.is_right:
                        wrong.append(
                            {
                                "viewer": viewer_id,
                                "missing": audit.missing,
                                "foreign": audit.foreign,
                                "disordered": audit.is_disordered,
                            }
                        )
                        if repair:
                            await repair_timeline(backends, viewer_id)
                note("timelines", not wrong, f"{checked} in the cache, {warm} warm, {len(wrong)} wrong")
                lines.extend(_describe(finding, repair) for finding in wrong[:SHOWN_TIMELINES])
    return {
        "ok": not problems,
        "problems": problems,
        "timelines": {"checked": checked, "warm": warm, "wrong": wrong, "repaired": len(wrong) if repair else 0},
        "lines": lines,
    }


def _describe(finding: dict[str, Any], repair: bool) -> str:
    text = f"      viewer {finding['viewer']}: missing {finding['missing'][:5]}, foreign {finding['foreign'][:5]}"
    return text + (", out of order" if finding["disordered"] else "") + (" (made anew)" if repair else "")
