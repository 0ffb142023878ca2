"""`tidings feeds`: timelines in the cache, looked at and made anew."""

from __future__ import annotations

import json
import time
from typing import Annotated, Any

import typer

from app.cli.progress import show_progress
from app.cli.servers import DEFAULT_DATA_DIR, DataDir, with_servers
from settings import Settings


def register(app: typer.Typer) -> None:
    feeds = typer.Typer(no_args_is_help=True, help="Timelines in the cache.")
    feeds.command("rebuild")(rebuild)
    feeds.command("inspect")(inspect)
    app.add_typer(feeds, name="feeds")


def rebuild(
    usernames: Annotated[list[str] | None, typer.Argument(metavar="USERNAME…", help="Whose timelines.")] = None,
    cached: Annotated[bool, typer.Option("--all", help="Of everybody who has one in the cache.")] = False,
    everybody: Annotated[bool, typer.Option("--everybody", help="Of every account: fills the cache.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make timelines anew from the database."""
    if [bool(usernames), cached, everybody].count(True) != 1:
        typer.echo("tidings feeds rebuild: name users, or give either --all or --everybody", err=True)
        raise typer.Exit(2)

    async def work(settings: Settings) -> tuple[int, list[str]]:
        from bootstrap import open_backends
        from db.timeline_audit import load_account_ids
        from db.users import load_users_by_username
        from services.feeds.rebuild_many_timelines import REBUILD_BATCH_SIZE, rebuild_many_timelines
        from services.importing.progress import Progress

        async with open_backends(settings, is_background=True) as backends:
            unknown: list[str] = []
            if cached:
                viewer_ids = sorted({viewer_id async for viewer_id in backends.timelines.viewer_ids()})
            elif everybody:
                async with backends.database.reading() as session:
                    viewer_ids = await load_account_ids(session)
            else:
                async with backends.database.reading() as session:
                    users = await load_users_by_username(session, usernames or [])
                viewer_ids = [user.id for user in users.values()]
                unknown = [name for name in usernames or [] if name.lower() not in users]
            with show_progress() as report:
                made = 0
                for start in range(0, len(viewer_ids), REBUILD_BATCH_SIZE):
                    batch = viewer_ids[start : start + REBUILD_BATCH_SIZE]
                    made += await rebuild_many_timelines(backends, batch)
                    report(Progress("rebuild", start + len(batch), len(viewer_ids), "timelines"))
            return made, unknown

    began = time.monotonic()
    count, unknown = with_servers(data_dir, "feeds rebuild", work)
    typer.echo(f"{count:,} timelines made anew, {count / max(time.monotonic() - began, 1e-3):,.0f}/s")
    if unknown:
        typer.echo(f"tidings feeds rebuild: no such user: {', '.join(unknown)}", err=True)
        raise typer.Exit(1)


def inspect(
    username: Annotated[str, typer.Argument(help="Whose timeline.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Show a timeline as it lies in the cache, and what the database says of it."""

    async def work(settings: Settings) -> dict[str, Any] | None:
        from bootstrap import open_backends
        from cache.timeline_audit import TimelineReader
        from db.feed_candidates import load_feed_viewer
        from db.users import load_users_by_username
        from domain.ids import created_at_of
        from services.feeds.audit_timelines import audit_timeline

        async with open_backends(settings, is_background=True) as backends:
            async with backends.database.reading() as session:
                user = (await load_users_by_username(session, [username])).get(username.lower())
                viewer = await load_feed_viewer(session, user.id) if user is not None else None
            if user is None or viewer is None:
                return None
            reader = TimelineReader(backends.redis)
            [found] = await reader.read([user.id])
            audit = await audit_timeline(backends, user.id)
            return {
                "username": user.username,
                "id": user.id,
                "database": viewer.database_identity,
                "graph_version": viewer.graph_version,
                "marker": found.marker.text if found.marker is not None else None,
                "state": audit.state.value,
                "warm": audit.is_warm,
                "whole": found.marker is not None and found.marker.is_whole,
                "entries": len(found.ids),
                "seconds_to_live": await reader.seconds_to_live(user.id),
                "newest": created_at_of(found.ids[0]).isoformat() if found.ids else None,
                "oldest": created_at_of(found.ids[-1]).isoformat() if found.ids else None,
                "wrong": {one.fault.value: [*one.post_ids, *one.elements] for one in audit.differences},
                "post_ids": found.ids,
            }

    facts = with_servers(data_dir, "feeds inspect", work)
    if facts is None:
        typer.echo(f"tidings feeds inspect: no such user: {username}", err=True)
        raise typer.Exit(1)
    if as_json:
        typer.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        shown = f"{len(value)} ids, first {value[:5]}" if name == "post_ids" else value
        typer.echo(f"{name:<16} {shown}")
