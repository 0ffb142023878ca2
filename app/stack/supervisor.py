"""Keeps the role processes of one machine running: starts them, again when they end, and stops them together."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.stack.processes import ChildProcess

_log = logging.getLogger(__name__)

_STDERR = 2
_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 15.0
# A process that ran so long was well: its next end is a new story, not one more failure of the same.
_SETTLED_SECONDS = 30.0


@dataclass(frozen=True)
class Role:
    """One process to keep running. `argv` is the whole command; its output goes to our stderr, stdout is not its."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]


@dataclass
class _Kept:
    role: Role
    process: ChildProcess | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    failures: int = 0
    last_status: int | None = None


class Supervisor:
    """The roles of one machine. Call `tend` often, and everything from the main thread (see `ChildProcess`)."""

    def __init__(self) -> None:
        self._kept: list[_Kept] = []

    def start(self, roles: Sequence[Role]) -> None:
        """Starts the roles and keeps them until `stop`."""
        self._kept = [_Kept(role) for role in roles]
        for kept in self._kept:
            self._start(kept)

    def tend(self) -> None:
        """Looks after every role once, without waiting: notes who has ended, starts again whose pause is over."""
        now = time.monotonic()
        for kept in self._kept:
            if kept.process is None:
                if now >= kept.start_again_at:
                    self._start(kept)
            elif (status := kept.process.returncode) is not None:
                self._note_end(kept, status, now)

    def failing(self, failures: int) -> str | None:
        """Says which role has ended so many times in a row, and how; None if none has."""
        for kept in self._kept:
            if kept.failures >= failures:
                return f"{kept.role.name} ended {kept.failures} times, last with {_status_text(kept.last_status)}"
        return None

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the roles that run, by name."""
        return {kept.role.name: kept.process.pid for kept in self._kept if kept.process}

    def stop(self, *, timeout_seconds: float) -> None:
        """SIGTERM to all, in the order of their start; SIGKILL to whoever is still there after the time they share."""
        deadline = time.monotonic() + timeout_seconds
        kept_processes = [kept.process for kept in self._kept if kept.process]
        self._kept = []
        for process in kept_processes:
            process.send(signal.SIGTERM)
        for process in kept_processes:
            if not process.wait(max(deadline - time.monotonic(), 0.0)):
                _log.warning("%s did not stop within %.1f s and is killed", process.name, timeout_seconds)
                process.kill()

    def _start(self, kept: _Kept) -> None:
        kept.process = ChildProcess(kept.role.argv, name=kept.role.name, env=kept.role.env, stdout=_STDERR)
        kept.started_at = time.monotonic()

    def _note_end(self, kept: _Kept, status: int, now: float) -> None:
        if now - kept.started_at >= _SETTLED_SECONDS:
            kept.failures = 0
        pause_seconds = min(_FIRST_PAUSE_SECONDS * 2.0**kept.failures, _LONGEST_PAUSE_SECONDS)
        kept.failures += 1
        kept.last_status = status
        kept.process = None
        kept.start_again_at = now + pause_seconds
        _log.warning("%s ended with %s, starts again in %.2f s", kept.role.name, _status_text(status), pause_seconds)


def _status_text(status: int | None) -> str:
    if status is not None and status < 0:
        return signal.Signals(-status).name
    return f"status {status}"
