"""`tidings worker` and `tidings relay`: they hand over to the background program, which this one never imports."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command("worker")(worker)
    app.command("relay")(relay)


def worker(
    processes: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 1,
    threads: Annotated[int | None, typer.Option(min=1, max=64, help="Jobs at a time in each; left out: the setting.")] = None,
) -> None:
    """Deliver posts to timelines. Servers are named by the environment."""
    arguments = ["worker", "--processes", str(processes)]
    _become(arguments + (["--threads", str(threads)] if threads is not None else []))


def relay() -> None:
    """Lease outbox rows and send them to the workers. Servers are named by the environment."""
    _become(["relay"])


def _become(arguments: list[str]) -> None:
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", "workers.main", *arguments])  # noqa: S606 - our own program
