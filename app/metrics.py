"""Every metric of Tidings, declared once. Import it after `app.metrics_environment.prepare_metrics` has run."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_REQUEST_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_LAG_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0)

FEED_SECONDS = Histogram("tidings_feed_request_seconds", "Time to a page of a home feed.", ["source"], buckets=_REQUEST_BUCKETS)
"""`source`: warm, cold, database."""
TIMELINE_READS = Counter("tidings_timeline_reads_total", "Reads of timelines in the cache.", ["result"])
FAN_OUT_LAG_SECONDS = Histogram(
    "tidings_fan_out_lag_seconds", "From a post's commit to the last timeline it reached.", buckets=_LAG_BUCKETS
)
GRAPHQL_REQUESTS = Counter("tidings_graphql_requests_total", "GraphQL requests over HTTP.", ["type", "outcome"])
"""`type`: query, mutation, subscription, page, unknown. `outcome`: answered, failed, refused, unavailable, error."""
GRAPHQL_SECONDS = Histogram("tidings_graphql_request_seconds", "Time to answer a GraphQL request.", buckets=_REQUEST_BUCKETS)
LIVE_SUBSCRIBERS = Gauge("tidings_live_subscribers", "Subscriptions that are open now.", multiprocess_mode="livesum")
