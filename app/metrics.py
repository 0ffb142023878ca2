"""Every metric of Tidings, declared once. Import it after `app.metrics_environment.prepare_metrics` has run."""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter, Gauge

from app.tally import Tally, Times, TimesTally

_REQUEST_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)

FEED_SECONDS = Times("tidings_feed_request_seconds", "Time to a page of a home feed.", ["source"], buckets=_REQUEST_BUCKETS)
"""`source`: what the cache said of the timeline: warm (a hit), cold or building (a miss), or database (no cache)."""
TIMELINE_REBUILDS = Counter("tidings_timeline_rebuilds_total", "Cold timelines made from the database by a reader.")
GRAPHQL_REQUESTS = Counter("tidings_graphql_requests_total", "GraphQL requests over HTTP.", ["type", "outcome"])
"""`type`: query, mutation, subscription, page, unknown. `outcome`: answered, failed, refused, limited, unavailable, error."""
GRAPHQL_OPERATIONS = Counter("tidings_graphql_operations_total", "GraphQL operations and live events executed.", ["executor"])
"""`executor`: compiled, or graphql_core: what is new, rare, or cannot be compiled."""
GRAPHQL_SECONDS = Times("tidings_graphql_request_seconds", "Time to answer a GraphQL request.", buckets=_REQUEST_BUCKETS)
LIVE_SUBSCRIBERS = Gauge("tidings_live_subscribers", "Subscriptions that are open now.", multiprocess_mode="livesum")
BUDGETS_EXHAUSTED = Counter("tidings_rate_limited_total", "Operations refused because a budget was exhausted.", ["budget"])
"""`budget`: its name in `domain/limits.py`."""
PUBLICATIONS_REFUSED = Counter("tidings_publications_refused_total", "Texts refused by a rule for what is published.", ["rule"])


@cache
def executions(name: str) -> Tally:
    """Of GRAPHQL_OPERATIONS. Finding a labelled metric costs more than counting."""
    return Tally(GRAPHQL_OPERATIONS.labels(executor=name))


@cache
def requests(kind: str, outcome: str) -> Tally:
    """Of GRAPHQL_REQUESTS."""
    return Tally(GRAPHQL_REQUESTS.labels(type=kind, outcome=outcome))


def note_executor(name: str) -> None:
    """Counts an execution."""
    executions(name).inc()


request_seconds = TimesTally(GRAPHQL_SECONDS)


@cache
def _feed_seconds(source: str) -> TimesTally:
    return TimesTally(FEED_SECONDS.labels(source=source))


class WebObserver:
    """Counts what use cases report of themselves."""

    def feed_was_read(self, *, source: str, seconds: float) -> None:
        _feed_seconds(source).observe(seconds)

    def timeline_was_rebuilt(self) -> None:
        TIMELINE_REBUILDS.inc()

    def post_was_delivered(self, *, outcome: str, lag_seconds: float, timelines: int) -> None:
        """Workers deliver, and count it themselves."""

    def budget_was_exhausted(self, *, budget: str) -> None:
        BUDGETS_EXHAUSTED.labels(budget=budget).inc()

    def publication_was_refused(self, *, rule: str) -> None:
        PUBLICATIONS_REFUSED.labels(rule=rule).inc()
