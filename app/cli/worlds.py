"""`tidings seed` and `tidings import`: people and posts, generated or real."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from app.cli.progress import show_progress
from app.cli.servers import DEFAULT_DATA_DIR, DataDir, with_servers
from services.importing.summary import ImportSummary
from settings import Settings

SHOWN_PROBLEMS = 20


def register(app: typer.Typer) -> None:
    app.command("seed")(seed)
    app.command("import")(import_)


def seed(
    users: Annotated[int, typer.Option(min=2, max=10_000_000, help="Accounts.")] = 500,
    posts: Annotated[int, typer.Option(min=0, max=100_000_000, help="Posts.")] = 5_000,
    number: Annotated[int, typer.Option("--seed", help="The same number makes the same world.")] = 1,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Generate a world with a heavy-tailed follower distribution."""

    async def work(settings: Settings) -> str:
        from migrations.run import upgrade
        from services.demo.generate_world import generate_world

        url = settings.database_url.get_secret_value()
        await upgrade(url)
        with show_progress() as report:
            made = await generate_world(
                url,
                users=users,
                posts=posts,
                seed=number,
                celebrity_threshold=settings.celebrity_threshold,
                progress=report,
            )
        return f"{made.users:,} users, {made.follows:,} follows, {made.posts:,} posts in {sum(made.seconds.values()):.1f} s"

    typer.echo(with_servers(data_dir, "seed", work))


def import_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with users, follows and posts files.")],
    file_format: Annotated[str, typer.Option("--format", help="How the files are written.")] = "tidings",
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first malformed row.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Import users, follows and posts from files; a second run changes nothing."""
    if file_format != "tidings":
        typer.echo(f"tidings import: unknown format {file_format}: there is tidings", err=True)
        raise typer.Exit(2)

    async def work(settings: Settings) -> ImportSummary | str:
        from migrations.run import upgrade
        from services.importing.errors import ImportFilesError, ImportRowError
        from services.importing.import_files import import_files

        url = settings.database_url.get_secret_value()
        await upgrade(url)
        try:
            with show_progress() as report:
                return await import_files(
                    url, folder, celebrity_threshold=settings.celebrity_threshold, strict=strict, progress=report
                )
        except (ImportFilesError, ImportRowError) as error:
            return str(error)

    result = with_servers(data_dir, "import", work)
    if isinstance(result, str):
        typer.echo(f"tidings import: {result}", err=True)
        raise typer.Exit(1)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(result)))
    else:
        _say(result)


def _say(summary: ImportSummary) -> None:
    kinds = {"users": summary.users, "follows": summary.follows, "posts": summary.posts, "shares": summary.shares}
    for name, written in kinds.items():
        typer.echo(f"{name}: {written.new:,} new, {written.already_there:,} already there")
    typer.echo(f"left out: {summary.reposts_left_out:,} reposts, {summary.replies_left_out:,} replies")
    if summary.reposts_left_out:
        why = summary.reposts_left_out_because
        typer.echo(
            f"reposts left out: {why.original_absent:,} whose original is not there, {why.repeated:,} repeated by the same "
            f"account, {why.not_public:,} of what is not public"
        )
    if summary.accounts_seen_only_elsewhere:
        typer.echo(f"accounts without a row of their own: {summary.accounts_seen_only_elsewhere:,}")
    if summary.duplicate_rows:
        typer.echo(f"duplicate rows: {summary.duplicate_rows:,}")
    if summary.activity_rows:
        typer.echo(f"activity: {summary.activity_rows:,} rows, {summary.scored_follows:,} follows scored")
    for problem in summary.malformed[:SHOWN_PROBLEMS]:
        typer.echo(f"malformed, skipped: {problem.file}:{problem.line}: {problem.message}")
    if summary.malformed_count > SHOWN_PROBLEMS:
        typer.echo(f"malformed rows in all: {summary.malformed_count:,}")
    for replaced in summary.usernames_replaced[:SHOWN_PROBLEMS]:
        typer.echo(f"{replaced.file}:{replaced.line}: username {replaced.wanted!r} became {replaced.username}")
    if summary.follows_rows_per_second:
        typer.echo(f"follows: {summary.follows_rows_per_second:,.0f} rows/s")
    typer.echo("seconds: " + ", ".join(f"{phase} {took:.1f}" for phase, took in summary.seconds.items()))
