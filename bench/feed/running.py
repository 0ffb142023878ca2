"""Starts the variants, each in a process that ends with this one."""

from __future__ import annotations

import http.client
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.stack.ports import LOOPBACK, free_port
from app.stack.processes import ChildProcess
from app.stack.urls import ServerUrls
from bench.feed.variant import Variant

_READY_SECONDS = 60.0
_STOP_SECONDS = 4.0
_POLL_SECONDS = 0.1
_LOG_SHOWN = 4_000


@dataclass(frozen=True, slots=True)
class RunningVariant:
    """A variant and where it is."""

    variant: Variant
    port: int
    pid: int


@contextmanager
def running_variants(variants: Sequence[Variant], urls: ServerUrls, logs: Path) -> Iterator[list[RunningVariant]]:
    """All of them, ready; what they have logged is shown where anything fails. Raises RuntimeError where one is not ready."""
    with ExitStack() as stack:
        yield [stack.enter_context(_running(variant, urls, logs)) for variant in variants]


@contextmanager
def _running(variant: Variant, urls: ServerUrls, logs: Path) -> Iterator[RunningVariant]:
    port = free_port()
    command = [part.replace("{port}", str(port)) for part in variant.command]
    environment = {**os.environ, **urls.as_environment(), **variant.environment, "PORT": str(port)}
    # As for Tidings when it is run: a start without compiled files takes many times longer.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    log = logs / f"{variant.name}.log"
    with log.open("wb") as output:
        process = ChildProcess(command, name=variant.name, env=environment, cwd=variant.folder, stdout=output, stderr=output)
        try:
            _wait_until_ready(process, port, log)
            yield RunningVariant(variant, port, process.pid)
        except BaseException:
            sys.stderr.write(f"{variant.name}:\n{log.read_text(errors='replace')[-_LOG_SHOWN:]}")
            raise
        finally:
            process.stop(timeout_seconds=_STOP_SECONDS)


def _wait_until_ready(process: ChildProcess, port: int, log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.returncode is None:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
        try:
            connection.connect()
            return
        except OSError:
            time.sleep(_POLL_SECONDS)
        finally:
            connection.close()
    raise RuntimeError(f"{process.name} did not become ready")
