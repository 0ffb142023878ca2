"""What is left of a data directory's processes, seen from outside."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from app.stack.orphans import mark_of, marked_processes


def eventually(condition: Callable[[], bool], *, within_seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + within_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_alive(pid: int) -> bool:
    """A zombie is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def processes_below(folder: Path) -> set[int]:
    """Whoever names the folder on its command line, or carries the mark of one of the server folders in it."""
    marks = [mark_of(part) for part in folder.iterdir() if part.is_dir()]
    return {pid for mark in (str(folder), *marks) for pid in marked_processes(mark)}
