"""Runs the client process, and says what an answer cost each server meanwhile."""

from __future__ import annotations

import marshal
import subprocess
import sys
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.feed.load_process import Findings, Wish
from bench.feed.processes import tree_cpu_seconds
from bench.table import percentile

_SPARE_SECONDS = 60.0
_LONGEST_ONCE_SECONDS = 900.0


class LoadError(Exception):
    """The client has failed, or an answer was not good; the message shows it."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one variant. `cpu_us`: microseconds an answer, by process (and `client`). Latencies in ms."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: dict[str, float]
    answers: int
    body_bytes: float
    failures: int


def run_load(
    port: int,
    requests: Sequence[bytes],
    pids: Mapping[str, int],
    *,
    connections: int,
    seconds: float = 0.0,
    rate: float = 0.0,
    once: bool = False,
    seed: int = 1,
    failures_allowed: float = 0.0,
) -> Run:
    """See `Wish`; `pids`: whose processor time is wanted. Raises LoadError where a larger share of the answers has errors."""
    wish = Wish(port=port, requests=list(requests), connections=connections, seconds=seconds, rate=rate, once=once, seed=seed)
    before = {name: tree_cpu_seconds(pid) for name, pid in pids.items()}
    found = _call(wish)
    used = {name: tree_cpu_seconds(pid) - before[name] for name, pid in pids.items()}
    used["client"] = found["cpu_seconds"]
    latencies = array("d", found["latencies"])
    if found["failures"] > failures_allowed * len(latencies) or not latencies:
        shown = found["first_failure"].decode(errors="replace")
        raise LoadError(f"{found['failures']} of {len(latencies)} answers were no pages; the first of them:\n{shown}")
    count = len(latencies)
    return Run(
        rate=count / found["seconds"],
        p50_ms=percentile(latencies, 0.5) * 1_000,
        p99_ms=percentile(latencies, 0.99) * 1_000,
        cpu_us={name: seconds / count * 1e6 for name, seconds in used.items()},
        answers=count,
        body_bytes=found["body_bytes"] / count,
        failures=found["failures"],
    )


def _call(wish: Wish) -> Findings:
    command = [sys.executable, "-m", "bench.feed.load_process"]
    deadline = _LONGEST_ONCE_SECONDS if wish["once"] else wish["seconds"] + _SPARE_SECONDS
    try:
        done = subprocess.run(command, input=marshal.dumps(dict(wish)), capture_output=True, timeout=deadline, check=False)
    except subprocess.TimeoutExpired as error:
        raise LoadError(f"the client did not end within {deadline:.0f} s") from error
    if done.returncode != 0:
        raise LoadError(f"the client has failed:\n{done.stderr.decode(errors='replace')[-2_000:]}")
    found: Findings = marshal.loads(done.stdout)
    return found
