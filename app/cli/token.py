"""`tidings token`: a JWT for development."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

import typer

from app.cli.servers import DEFAULT_DATA_DIR, DataDir, load_settings, with_servers
from settings import Settings

_USERNAME = re.compile(r"[A-Za-z0-9_]{1,50}")
_TTL = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def register(app: typer.Typer) -> None:
    app.command("token")(token)


def token(
    username: Annotated[str, typer.Argument(help="An unknown name gets an account with that sub.")],
    ttl: Annotated[str, typer.Option(help="How long it holds: 30s, 15m, 12h, 7d.")] = "12h",
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Print a JWT and nothing else (development keys only)."""
    life = _TTL.fullmatch(ttl)
    if life is None or int(life[1]) == 0:
        _refuse("--ttl is a number and s, m, h or d, for instance 12h")
    assert life is not None, "refused otherwise"
    if _USERNAME.fullmatch(username) is None:
        _refuse("a username is 1 to 50 letters, digits and underscores")
    settings = load_settings()
    if not settings.is_development or settings.hs256_secret is None:
        _refuse("only in development, with a development key")

    async def work(settings: Settings) -> str:
        from app.development_account import mint_token_for
        from bootstrap import open_backends

        async with open_backends(settings, is_background=True) as backends:
            return await mint_token_for(backends.database, settings, username, ttl=timedelta(**{_UNITS[life[2]]: int(life[1])}))

    typer.echo(with_servers(data_dir, "token", work))


def _refuse(reason: str) -> None:
    typer.echo(f"tidings token: {reason}", err=True)
    raise typer.Exit(2)
