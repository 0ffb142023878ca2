"""Processes that an earlier, killed start has left behind for a moment, found by a mark in their command line.

`/proc/PID/cmdline` is readable without special rights, also for another user's process, and empty for a zombie: a
process id in a lock file proves nothing (it may be a zombie or somebody else by now), a mark that only one data
directory has does.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import time
from pathlib import Path

_POLL_SECONDS = 0.01


def mark_of(directory: Path) -> str:
    """A short name which no other directory of this machine has."""
    real = directory.resolve()
    status = real.stat()
    digest = hashlib.sha256(f"{real}|{status.st_dev}|{status.st_ino}".encode()).hexdigest()
    return f"tidings-{digest[:16]}"


def marked_processes(mark: str) -> list[int]:
    """Process ids of the living processes whose command line or title contains the mark."""
    wanted = mark.encode()
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        with contextlib.suppress(OSError), open(f"/proc/{entry}/cmdline", "rb") as file:
            if wanted in file.read():
                found.append(int(entry))
    return found


def end_marked_processes(mark: str, *, grace_seconds: float) -> bool:
    """Waits until no marked process is left; kills what is there after the grace. False if some survive even that.

    Only the holder of the data directory's lock may call it: then whatever carries the mark has lost its parent.
    """
    deadline = time.monotonic() + grace_seconds
    killed = False
    while left := marked_processes(mark):
        if time.monotonic() >= deadline:
            if killed:
                return False
            for pid in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            killed = True
            deadline = time.monotonic() + grace_seconds
        time.sleep(_POLL_SECONDS)
    return True
