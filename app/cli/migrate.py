"""`tidings migrate`: the database to the newest schema."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.servers import DEFAULT_DATA_DIR, DataDir, with_servers
from settings import Settings


def register(app: typer.Typer) -> None:
    app.command("migrate")(migrate)


def migrate(
    check: Annotated[bool, typer.Option("--check", help="Only say whether something is to do: status 1 then.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Bring the database to the newest schema; safe when several do it at once."""

    async def work(settings: Settings) -> bool:
        from db.database import Database
        from migrations.run import current_revision, newest_revision, upgrade

        url = settings.database_url.get_secret_value()
        if not check:
            await upgrade(url)
        database = Database(url, pool_size=2, timeout_seconds=5)
        try:
            current = await current_revision(database)
        finally:
            await database.close()
        typer.echo(f"database: {current or 'empty'}, newest: {newest_revision()}", err=True)
        return current == newest_revision()

    if not with_servers(data_dir, "migrate", work):
        raise typer.Exit(1)
