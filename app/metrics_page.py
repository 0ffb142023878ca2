"""`GET /metrics`: Prometheus text, for operators."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response as HttpResponse

from app.authentication.bearer import bearer_token
from app.authentication.errors import AuthenticationError
from app.tally import hand_on_all
from app.web_state import WebState, web_state
from db.outbox import OutboxTotals, count_events
from domain.errors import UnavailableError
from settings import Settings


async def metrics_page(request: Request) -> HttpResponse:
    """The metrics of this process, or of all processes of this machine that share TIDINGS_METRICS_DIR. 404 for strangers."""
    state = web_state(request)
    if not _is_operator(request, state):
        return HttpResponse("Not Found", 404, media_type="text/plain")
    hand_on_all()
    text = generate_latest(_registry(state.settings))
    outbox = CollectorRegistry()
    outbox.register(_OutboxMetrics(await _outbox_totals(state)))
    headers = {"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"}
    return HttpResponse(text + generate_latest(outbox), headers=headers)


def _is_operator(request: Request, state: WebState) -> bool:
    expected = state.settings.ops_token.get_secret_value()
    if not expected:
        peer = request.client.host if request.client else None
        address = state.addresses.find(peer, request.headers.getlist("x-forwarded-for"))
        return address is not None and address.is_loopback
    try:
        return hmac.compare_digest((bearer_token(request.headers) or "").encode(), expected.encode())
    except AuthenticationError:
        return False


def _registry(settings: Settings) -> CollectorRegistry:
    if not settings.metrics_dir:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=settings.metrics_dir)  # type: ignore[no-untyped-call]
    return registry


async def _outbox_totals(state: WebState) -> OutboxTotals | None:
    try:
        return await state.deadline.run(_count(state))
    except UnavailableError:
        return None


async def _count(state: WebState) -> OutboxTotals:
    async with state.backends.database.reading() as session:
        return await count_events(session)


class _OutboxMetrics(Collector):
    """Counted when asked for. Without PostgreSQL the metrics are missing rather than zero."""

    def __init__(self, totals: OutboxTotals | None) -> None:
        self._totals = totals

    def collect(self) -> Iterator[Metric]:
        if self._totals is None:
            return
        yield GaugeMetricFamily("tidings_outbox_open", "Outbox rows that are not done.", self._totals.open)
        yield GaugeMetricFamily("tidings_outbox_parked", "Outbox rows that were given up.", self._totals.parked)
        yield GaugeMetricFamily(
            "tidings_outbox_oldest_open_seconds", "Age of the oldest open outbox row.", self._totals.oldest_open_seconds
        )
