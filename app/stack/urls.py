"""The addresses of the three servers, and the file in which they stand for other commands."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_VARIABLES = {
    "database_url": "TIDINGS_DATABASE_URL",
    "redis_url": "TIDINGS_REDIS_URL",
    "broker_url": "TIDINGS_BROKER_URL",
}


@dataclass(frozen=True)
class ServerUrls:
    """Where the servers are. An empty address is one that nobody has named."""

    database_url: str = ""
    redis_url: str = ""
    broker_url: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """What `TIDINGS_DATABASE_URL`, `TIDINGS_REDIS_URL` and `TIDINGS_BROKER_URL` say."""
        return cls(**{field: environment.get(variable, "") for field, variable in _VARIABLES.items()})

    @property
    def is_complete(self) -> bool:
        return bool(self.database_url and self.redis_url and self.broker_url)

    def or_else(self, other: ServerUrls) -> ServerUrls:
        """These addresses, and the other ones where these are empty."""
        return ServerUrls(
            self.database_url or other.database_url,
            self.redis_url or other.redis_url,
            self.broker_url or other.broker_url,
        )

    def as_tuple(self) -> tuple[str, str, str]:
        return self.database_url, self.redis_url, self.broker_url

    def as_environment(self) -> dict[str, str]:
        """The variables by which role processes are told; empty addresses are left out."""
        return {variable: getattr(self, field) for field, variable in _VARIABLES.items() if getattr(self, field)}

    def __repr__(self) -> str:
        named = [field for field in _VARIABLES if getattr(self, field)]
        return f"ServerUrls({', '.join(named)})"  # the addresses hold passwords


def env_file(data_dir: Path) -> Path:
    return data_dir / "env"


def write_env_file(data_dir: Path, urls: ServerUrls) -> None:
    """Writes DATA_DIR/env whole or not at all, readable for its owner alone."""
    descriptor, temporary = tempfile.mkstemp(prefix="env-", dir=data_dir)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(f"{variable}={url}\n" for variable, url in urls.as_environment().items())
    os.replace(temporary, env_file(data_dir))


def read_env_file(data_dir: Path) -> ServerUrls:
    """What DATA_DIR/env says; nothing where it is missing. Whether these servers live is another question."""
    try:
        lines = env_file(data_dir).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ServerUrls()
    return ServerUrls.from_environment(dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#"))


def remove_env_file(data_dir: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        env_file(data_dir).unlink()
