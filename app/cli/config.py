"""`tidings config`: what is set, and whether it is right."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from pydantic import SecretStr

from app.cli.servers import load_settings


def register(app: typer.Typer) -> None:
    config = typer.Typer(no_args_is_help=True, help="What is set, and whether it is right.")
    config.command("show")(show)
    config.command("check")(check)
    app.add_typer(config, name="config")


def show(
    example: Annotated[bool, typer.Option("--example", help="Print .env.example instead.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Print every setting with its value; secrets are only said to be set."""
    if example:
        from app.environment import render_env_example

        typer.echo(render_env_example(), nl=False)
        return
    values: dict[str, str] = {}
    for name, value in load_settings():
        if isinstance(value, SecretStr):
            value = "(set)" if value.get_secret_value() else ""
        elif isinstance(value, tuple):
            value = ",".join(value)
        values[f"TIDINGS_{name.upper()}"] = "" if value is None else str(value)
    if as_json:
        typer.echo(json.dumps(values))
    else:
        for variable, text in values.items():
            typer.echo(f"{variable}={text}")


def check() -> None:
    """Say whether the settings are right; status 2 where one is not."""
    settings = load_settings()
    typer.echo(f"the settings are right ({settings.env})")
