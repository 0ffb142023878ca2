"""The counters of posts: what is in flight is added many at a time, and all of it is counted anew now and then."""

from __future__ import annotations

import functools

import dramatiq
import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from domain.errors import UnavailableError
from services.engagement.audit_counters import CounterReport, sweep_counters
from services.engagement.flush_counters import FlushedBatch, flush_counters
from workers.broker import broker, running_backends
from workers.queues import COUNTERS, COUNTERS_PRIORITY

SWEEP_EVERY_SECONDS = 600.0
_NAMED = 20

log = structlog.get_logger(__name__)


class CounterMetrics:
    """What Prometheus is told."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._lag = Histogram(
            "tidings_counter_flush_lag_seconds",
            "How long the oldest like or comment of a batch had waited for the post's row (shown counts have it at once).",
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60),
            registry=registry,
        )
        self._changes = Counter("tidings_counter_changes_flushed", "Likes and comments added to posts.", registry=registry)
        self._posts = Counter("tidings_counter_posts_flushed", "Rows of posts written for them.", registry=registry)
        self._compared = Counter("tidings_counters_compared", "Posts whose counters were counted anew.", registry=registry)
        self._drift = Gauge(
            "tidings_counter_drift",
            "Posts of the last sweep whose counters were wrong.",
            multiprocess_mode="mostrecent",
            registry=registry,
        )

    def note_batch(self, batch: FlushedBatch) -> None:
        self._lag.observe(batch.oldest_seconds)
        self._changes.inc(batch.changes)
        self._posts.inc(batch.posts)

    def note_sweep(self, report: CounterReport) -> None:
        self._compared.inc(report.compared)
        self._drift.set(len(report.drifted))


@functools.cache
def _metrics() -> CounterMetrics:
    return CounterMetrics()


@dramatiq.actor(actor_name="counters.flush", queue_name=COUNTERS, priority=COUNTERS_PRIORITY, broker=broker)
async def flush() -> None:
    """Everything that is in flight."""
    try:
        added = await flush_counters(running_backends(), on_batch=_metrics().note_batch)
    except UnavailableError:
        log.warning("counters.server_unavailable")  # still in flight: another message follows
        return
    log.debug("counters.flushed", changes=added)


@dramatiq.actor(actor_name="counters.sweep", queue_name=COUNTERS, priority=COUNTERS_PRIORITY + 1, broker=broker)
async def sweep() -> None:
    """The next part of the walk through all posts."""
    try:
        report = await sweep_counters(running_backends())
    except UnavailableError:
        log.warning("counters.server_unavailable")
        return
    _metrics().note_sweep(report)
    for drift in report.drifted[:_NAMED]:
        found = {"likes": drift.likes, "comments": drift.comments, "shares": drift.shares}
        log.error("counters.found_drift", post_id=drift.post_id, **found)
    log.info("counters.swept", compared=report.compared, drifted=len(report.drifted), repaired=report.repaired)
