"""`tidings schema`: the GraphQL schema."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    schema = typer.Typer(no_args_is_help=True, help="The GraphQL schema.")
    schema.command("export")(export)
    # A group with a single command would otherwise swallow its name.
    schema.callback()(_group)
    app.add_typer(schema, name="schema")


def _group() -> None:
    """The GraphQL schema."""


def export(output: Annotated[Path | None, typer.Option(help="A file; left out: print it.")] = None) -> None:
    """Print the schema in the schema definition language."""
    from schema.build import print_sdl

    if output is None:
        typer.echo(print_sdl(), nl=False)
    else:
        output.write_text(print_sdl(), encoding="utf-8")
