"""`tidings feeds`: timelines in the cache, looked at and made anew."""

from __future__ import annotations

import json
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
    everybody: Annotated[bool, typer.Option("--all", help="Of everybody who has one in the cache.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make timelines anew from the database."""
    if bool(usernames) == everybody:
        typer.echo("tidings feeds rebuild: name users, or give --all", err=True)
        raise typer.Exit(2)

    async def work(settings: Settings) -> tuple[int, list[str]]:
        from bootstrap import open_backends
        from db.users import load_users_by_username
        from services.feeds.audit_timelines import repair_timeline
        from services.importing.progress import Progress

        async with open_backends(settings, is_background=True) as backends:
            if everybody:
                viewer_ids = sorted({viewer_id async for viewer_id in backends.timelines.viewer_ids()})
                unknown: list[str] = []
            else:
                async with backends.database.reading() as session:
                    users = await load_users_by_username(session, usernames or [])
                viewer_ids = [user.id for user in users.values()]
                unknown = [name for name in usernames or [] if name.lower() not in users]
            with show_progress() as report:
                for done, viewer_id in enumerate(viewer_ids, start=1):
                    await repair_timeline(backends, viewer_id)
                    report(Progress("rebuild", done, len(viewer_ids), "timelines"))
            return len(viewer_ids), unknown

    count, unknown = with_servers(data_dir, "feeds rebuild", work)
    typer.echo(f"{count} timelines made anew")
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
            found = await backends.timelines.inspect(user.id)
            audit = await audit_timeline(backends, user.id)
            return {
                "username": user.username,
                "id": user.id,
                "database": viewer.database_identity,
                "graph_version": viewer.graph_version,
                "marker": found.marker,
                "warm": audit.is_warm,
                "whole": found.is_whole,
                "entries": len(found.ids),
                "seconds_to_live": found.seconds_to_live,
                "newest": created_at_of(found.ids[0]).isoformat() if found.ids else None,
                "oldest": created_at_of(found.ids[-1]).isoformat() if found.ids else None,
                "missing": audit.missing,
                "foreign": audit.foreign,
                "disordered": audit.is_disordered,
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
