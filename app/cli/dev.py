"""`tidings dev`: everything on this machine."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli import steps
from app.stack.development import Options, Steps, run
from app.stack.errors import StackError
from app.stack.urls import ServerUrls

DEFAULT_DATA_DIR = Path(".tidings")
STEPS = Steps(migrate=steps.migrate, seed_if_empty=steps.seed_demo_world, development_token=steps.development_token)


def register(app: typer.Typer) -> None:
    app.command("dev")(dev)


def dev(
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="Port of the API; left out: 8000 or the next free one.")
    ] = None,
    data_dir: Annotated[
        Path, typer.Option(envvar="TIDINGS_DATA_DIR", help="Folder of the embedded servers.")
    ] = DEFAULT_DATA_DIR,
    demo: Annotated[bool, typer.Option("--demo/--no-demo", help="Give an empty database a generated world.")] = True,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 1,
) -> None:
    """Start PostgreSQL, Valkey, API, relay and workers on this machine; Ctrl-C stops all of it."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s dev: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    given = ServerUrls.from_environment(os.environ)
    options = Options(data_dir=data_dir.absolute(), port=port, demo=demo, workers=workers, given=given)
    try:
        asyncio.run(run(options, STEPS))
    except StackError as error:
        typer.echo(f"tidings dev: {error}", err=True)
        raise typer.Exit(1) from error
