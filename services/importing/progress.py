"""How far a long piece of work is, and what an import did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter


@dataclass(frozen=True, slots=True)
class Progress:
    """One step forward: `done` of `total` (None: not known) in `unit`s. `done` starts at 0 with every new `phase`."""

    phase: str
    done: int
    total: int | None
    unit: str


ReportProgress = Callable[[Progress], None]


def report_nothing(_progress: Progress) -> None:
    """For callers that do not want to know."""


class PhaseTimes:
    """Seconds spent in each phase, in the order in which the phases began."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def measure(self, phase: str) -> Iterator[None]:
        begun = perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] = self.seconds.get(phase, 0.0) + perf_counter() - begun
