"""Who keeps a data directory: advisory locks (flock(2)), which the kernel drops when their process ends.

`lock` belongs to the one process whose servers run there; it says who that is. `guests` is held shared by commands
that use these servers meanwhile, so that a short command which started them does not stop them below a long one.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from app.stack.errors import DataDirectoryInUseError, StackError

_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Occupant:
    """The process that keeps a data directory; `url` is empty while (or where) it serves nothing."""

    pid: int = 0
    command: str = ""
    url: str = ""


class FileLock:
    """One flock on one file of the data directory. Children never inherit it: they would hold it after us."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def try_take(self, *, shared: bool = False) -> bool:
        """Takes it if nobody stands in the way. Raises StackError where the folder cannot be written."""
        if self._descriptor is None:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise StackError(f"{self.path.parent} cannot be used as data directory: {error.strerror}") from error
        try:
            fcntl.flock(self._descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            return False
        return True

    def take(self, *, timeout_seconds: float) -> bool:
        """Tries until it has it, at most so long."""
        deadline = time.monotonic() + timeout_seconds
        while not self.try_take():
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def write(self, text: str) -> None:
        """Replaces the file's content; for the holder."""
        assert self._descriptor is not None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()


class Occupation(FileLock):
    """The right to run servers in a data directory."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir / "lock")

    def announce(self, command: str, url: str = "") -> None:
        """Says to whoever comes next who is here."""
        self.write(json.dumps(asdict(Occupant(os.getpid(), command, url))))


def guests_lock(data_dir: Path) -> FileLock:
    return FileLock(data_dir / "guests")


def read_occupant(data_dir: Path) -> Occupant:
    """What the holder of the lock has said about itself; empty when nothing (yet)."""
    try:
        return Occupant(**json.loads((data_dir / "lock").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Occupant()


def occupied_error(data_dir: Path) -> DataDirectoryInUseError:
    """The message for somebody who finds the directory taken."""
    occupant = read_occupant(data_dir)
    place = f" at {occupant.url}" if occupant.url else ""
    who = f"tidings {occupant.command} (process {occupant.pid})" if occupant.command else "another process"
    return DataDirectoryInUseError(f"{data_dir} is in use: {who} runs there{place}")
