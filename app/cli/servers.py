"""What the commands share: where the servers are, and settings that point to them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import SecretStr, ValidationError

from app.stack.borrowing import servers_of
from app.stack.errors import StackError
from app.stack.urls import ServerUrls
from domain.errors import CacheUnavailableError, TidingsError
from settings import Settings

T = TypeVar("T")

DataDir = Annotated[
    Path, typer.Option(envvar="TIDINGS_DATA_DIR", help="Folder of the development servers; named servers go before it.")
]
DEFAULT_DATA_DIR = Path(".tidings")


def load_settings() -> Settings:
    """The settings; a wrong one ends the command with status 2 and says which."""
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors():
            name = "TIDINGS_" + "_".join(str(part) for part in problem["loc"]).upper() if problem["loc"] else "settings"
            typer.echo(f"tidings: {name}: {problem['msg']}", err=True)
        raise typer.Exit(2) from None


def pointing_to(settings: Settings, urls: ServerUrls) -> Settings:
    """The same settings with these servers."""
    return settings.model_copy(
        update={
            "database_url": SecretStr(urls.database_url),
            "redis_url": SecretStr(urls.redis_url),
            "broker_url": SecretStr(urls.broker_url),
        }
    )


def with_servers(data_dir: Path, command: str, work: Callable[[Settings], Coroutine[Any, Any, T]]) -> T:
    """Runs `work` with servers that are there: those that are named, those of a running `tidings dev`, or own ones meanwhile.

    Says what went wrong on stderr and ends with status 1.
    """
    settings = load_settings()
    try:
        with servers_of(data_dir.absolute(), given=ServerUrls.from_environment(os.environ), command=command) as urls:
            return asyncio.run(work(pointing_to(settings, urls)))
    except (StackError, TidingsError, CacheUnavailableError, OSError) as error:
        typer.echo(f"tidings {command}: {error}", err=True)
        raise typer.Exit(1) from error


def is_terminal() -> bool:
    """Whether a person watches stderr."""
    return sys.stderr.isatty()
