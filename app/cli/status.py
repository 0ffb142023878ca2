"""`tidings status`: what runs, and how much there is."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from app.cli.servers import DEFAULT_DATA_DIR, DataDir, with_servers
from settings import Settings


def register(app: typer.Typer) -> None:
    app.command("status")(status)


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Show servers, background processes, the outbox and totals."""

    async def work(settings: Settings) -> dict[str, Any]:
        from bootstrap import open_backends
        from db.activities import count_activities
        from db.heartbeats import LATE_SECONDS, load_heartbeat_ages
        from db.outbox import count_events
        from db.totals import load_totals
        from migrations.run import current_revision, newest_revision

        async with open_backends(settings, is_background=True) as backends:
            facts: dict[str, Any] = {
                "migrations": {"current": await current_revision(backends.database), "newest": newest_revision()},
                "cache": "reachable" if await backends.redis.is_reachable() else "away",
            }
            if facts["migrations"]["current"] == newest_revision():
                async with backends.database.reading() as session:
                    ages = await load_heartbeat_ages(session)
                    totals = await count_events(session)
                    activities = await count_activities(session)
                    facts["totals"] = await load_totals(session)
                facts["roles"] = {
                    role: "running" if ages.get(role, LATE_SECONDS) < LATE_SECONDS else "stopped"
                    for role in ("relay", "worker")
                }
                facts["outbox"] = {
                    "open": totals.open,
                    "parked": totals.parked,
                    "oldest_open_seconds": round(totals.oldest_open_seconds, 1),
                }
                facts["activities"] = {
                    "open": activities.open,
                    "parked": activities.parked,
                    "oldest_open_seconds": round(activities.oldest_open_seconds, 1),
                }
            return facts

    facts = with_servers(data_dir, "status", work)
    if as_json:
        typer.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {item}" for key, item in value.items())
        typer.echo(f"{name:<11} {value}")
