"""The whole system as `make run` starts it, in a folder of its own, for as long as a measurement lasts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from app.authentication.development_token import mint_development_token
from app.stack.ports import free_port
from app.stack.urls import ServerUrls, read_env_file
from settings import DEVELOPMENT_JWT_SECRET, Settings

CONGRESS = Path(__file__).resolve().parents[2] / "shared" / "data" / "congress2016"
_READY_SECONDS = 120.0
_STOP_SECONDS = 10.0
_LOG_SHOWN = 6_000


@dataclass(frozen=True, slots=True)
class RunningSystem:
    """`address`: of the API. `urls`: of the servers below it."""

    address: str
    urls: ServerUrls

    @property
    def settings(self) -> Settings:
        return Settings(
            database_url=SecretStr(self.urls.database_url),
            redis_url=SecretStr(self.urls.redis_url),
            broker_url=SecretStr(self.urls.broker_url),
        )


@contextmanager
def running_system(*, workers: int = 1) -> Iterator[RunningSystem]:
    """`tidings dev` with an empty database. Raises RuntimeError where it does not become ready."""
    with tempfile.TemporaryDirectory(prefix="tidings-bench-") as folder:
        data_dir = Path(folder) / "data"
        command = [sys.executable, "-m", "app.cli", "dev", "--no-demo", "--data-dir", str(data_dir)]
        command += ["--port", str(free_port()), "--workers", str(workers)]
        log_file = Path(folder) / "log"
        with log_file.open("wb") as log:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)
            try:
                yield RunningSystem(_wait_until_ready(process), read_env_file(data_dir))
            except BaseException:
                sys.stderr.write(log_file.read_text(errors="replace")[-_LOG_SHOWN:])
                raise
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(_STOP_SECONDS)


def _wait_until_ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    os.set_blocking(process.stdout.fileno(), True)
    deadline = time.monotonic() + _READY_SECONDS
    for line in process.stdout:
        if line.startswith("ready: "):
            return line.split()[1]
        if time.monotonic() > deadline:
            break
    raise RuntimeError("the system did not become ready")


def token_of(external_id: str) -> str:
    """A token for the account with that `sub`."""
    return mint_development_token(DEVELOPMENT_JWT_SECRET, external_id, username="bench", ttl=timedelta(hours=6))
