"""Progress of long work: a bar with rate and remaining time on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeRemainingColumn

from services.importing.progress import Progress as Report

_LINE_SECONDS = 2.0


@contextmanager
def show_progress() -> Iterator[Callable[[Report], None]]:
    """Gives the function to report to."""
    if sys.stderr.isatty():
        with Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}, {task.fields[rate]}/s"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        ) as bars:
            yield _Bars(bars).report
    else:
        yield _Lines().report


class _Bars:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}
        self._began: dict[str, float] = {}

    def report(self, report: Report) -> None:
        if report.phase not in self._tasks:
            self._tasks[report.phase] = self._bars.add_task(report.phase, total=report.total, unit=report.unit, rate="…")
            self._began[report.phase] = time.monotonic()
        seconds = max(time.monotonic() - self._began[report.phase], 1e-3)
        self._bars.update(
            self._tasks[report.phase], completed=report.done, total=report.total, rate=f"{report.done / seconds:,.0f}"
        )


class _Lines:
    def __init__(self) -> None:
        self._phase = ""
        self._said_at = 0.0

    def report(self, report: Report) -> None:
        now = time.monotonic()
        is_end = report.total is not None and report.done >= report.total
        if report.phase == self._phase and now - self._said_at < _LINE_SECONDS and not is_end:
            return
        self._phase, self._said_at = report.phase, now
        of = f" of {report.total:,}" if report.total is not None else ""
        sys.stderr.write(f"{report.phase}: {report.done:,}{of} {report.unit}\n")
