"""The `tidings` command. Each command is a file of its own, which is imported when it is called."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

# name on the command line → module with `register(app: typer.Typer)`, in the order in which `--help` lists them
COMMANDS = {
    "dev": "app.cli.dev",
    "serve": "app.cli.serve",
    "worker": "app.cli.roles",
    "relay": "app.cli.roles",
    "migrate": "app.cli.migrate",
    "seed": "app.cli.worlds",
    "import": "app.cli.worlds",
    "token": "app.cli.token",
    "doctor": "app.cli.doctor",
    "status": "app.cli.status",
    "feeds": "app.cli.feeds",
    "queues": "app.cli.queues",
    "moderate": "app.cli.moderate",
    "config": "app.cli.config",
    "schema": "app.cli.schema",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command line; ends by SystemExit with its status."""
    import typer

    words = list(sys.argv[1:] if arguments is None else arguments)
    app = typer.Typer(name="tidings", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

    @app.callback()
    def tidings() -> None:
        """A home-feed server: typed GraphQL, exact hybrid fan-out, live updates."""

    # Importing every command's modules would cost each call a second.
    named = [words[0]] if words and words[0] in COMMANDS else list(COMMANDS)
    for module in dict.fromkeys(COMMANDS[name] for name in named):
        import_module(module).register(app)
    app(args=words, prog_name="tidings")
