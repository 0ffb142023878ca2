"""What workers and relays count, for Prometheus. Import it after `prepare_metrics`."""

from __future__ import annotations

import os
from pathlib import Path

from settings import Settings


def prepare_metrics(settings: Settings) -> None:
    """Adds this process's figures to those of the machine, where TIDINGS_METRICS_DIR says so.

    prometheus_client decides at import how it stores values, so this comes before anything else of this module is used.
    """
    if settings.metrics_dir:
        Path(settings.metrics_dir).mkdir(parents=True, exist_ok=True)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = settings.metrics_dir


class WorkerObserver:
    """Counts deliveries."""

    def __init__(self) -> None:
        from prometheus_client import Counter, Histogram

        self._lag = Histogram(
            "tidings_fan_out_lag_seconds",
            "From the commit of a post to its last timeline.",
            ["outcome"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
        )
        self._timelines = Counter("tidings_timelines_written", "Entries written into timelines.")

    def feed_was_read(self, *, source: str, seconds: float) -> None:
        return None

    def timeline_was_rebuilt(self) -> None:
        return None

    def post_was_delivered(self, *, outcome: str, lag_seconds: float, timelines: int) -> None:
        self._lag.labels(outcome=outcome).observe(lag_seconds)
        self._timelines.inc(timelines)

    def budget_was_exhausted(self, *, budget: str) -> None:
        """Nobody is served here."""

    def publication_was_refused(self, *, rule: str) -> None:
        """Nothing is published here."""
