"""What processes have used: the API's, Valkey's, and PostgreSQL's with all its backends."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PARENT, _USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM = 1, 11, 12, 13, 14
"""Places behind the command's name in /proc/PID/stat (proc(5))."""


def tree_cpu_seconds(pid: int) -> float:
    """User and system time of a process, of its living descendants, and of those that have ended and were waited for.

    Raises FileNotFoundError where the process does not run any more.
    """
    children: dict[int, list[int]] = defaultdict(list)
    ticks: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        children[int(fields[_PARENT])].append(int(entry))
        ticks[int(entry)] = sum(int(fields[place]) for place in (_USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM))
    if pid not in ticks:
        raise FileNotFoundError(f"process {pid} has ended")
    total, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        total += ticks.get(one, 0)
        waiting += children[one]
    return total / _TICKS_PER_SECOND
