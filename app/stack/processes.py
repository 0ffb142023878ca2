"""One child process that cannot outlive its parent and is never left behind as a zombie."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from app.stack.errors import StackError

_LAUNCH = str(Path(__file__).with_name("launch.py"))
_POLL_SECONDS = 0.005
_AFTER_KILL_SECONDS = 5.0


class ChildProcess:
    """A direct child in a session of its own: Ctrl-C in the terminal reaches the parent alone, which stops it in order.

    The kernel sends `death_signal` to the child when the parent is gone, however it went. That signal comes when the
    *thread* that started the child ends, so children are started from the main thread only: anything else raises
    StackError.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        name: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: int | None = subprocess.DEVNULL,
        stdout: IO[bytes] | int | None = None,
        stderr: IO[bytes] | int | None = None,
        identity: str = "same",
        death_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise StackError(f"{name} must be started from the main thread: it would end together with this one")
        self.name = name
        launcher = [sys.executable, "-I", "-S", _LAUNCH, str(os.getpid()), str(int(death_signal)), identity]
        self._process = subprocess.Popen(  # noqa: S603 - argv is built by the stack
            [*launcher, *argv], env=env, cwd=cwd, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit status as subprocess counts it (negative: the signal), None while it runs. Reaps."""
        if self._process.returncode is None and self._has_ended():
            # Before the reaping, while nobody else can have the process group's number.
            self._signal_group(signal.SIGKILL)
        return self._process.poll()

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the child itself; nothing happens if it has ended."""
        if self.returncode is None:
            self._process.send_signal(number)

    def wait(self, timeout_seconds: float) -> bool:
        """Waits at most so long; True when the child has ended."""
        deadline = time.monotonic() + timeout_seconds
        while self.returncode is None:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def stop(self, *, timeout_seconds: float, with_signal: signal.Signals = signal.SIGTERM) -> bool:
        """Asks it to end, waits, and kills it with its process group if it has not. True when asking was enough."""
        self.send(with_signal)
        if self.wait(timeout_seconds):
            return True
        self.kill()
        return False

    def kill(self) -> None:
        """SIGKILL to the child and its process group, and the reaping."""
        if self.returncode is None:
            self._signal_group(signal.SIGKILL)
            self.wait(_AFTER_KILL_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()

    def _has_ended(self) -> bool:
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def _signal_group(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            self._process.send_signal(number)
