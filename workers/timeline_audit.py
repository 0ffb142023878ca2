"""The regular audit: a sample of the cached timelines is compared with the truth, repaired where wrong, and counted.

Runs in every relay; a row in the database gives the turn to one of them at a time.
"""

from __future__ import annotations

import asyncio

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge

from domain.errors import CacheUnavailableError, UnavailableError
from services.backends import Backends
from services.feeds.audit_accounts import AuditReport, audit_in_turn
from settings import Settings

_NAMED = 20
_LONGEST_SECONDS = 60.0
"""Of one audit: with the default sample it takes a fraction of a second."""

log = structlog.get_logger(__name__)


class AuditMetrics:
    """What Prometheus is told. The drift is that of the last sample of any process: it should read 0."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._drift = Gauge(
            "tidings_timeline_drift",
            "Timelines of the last sample that differed from the database.",
            multiprocess_mode="mostrecent",
            registry=registry,
        )
        self._audited = Counter("tidings_timelines_audited", "Timelines compared with the database.", registry=registry)
        self._wrong = Counter("tidings_timeline_faults", "Differences found, by their kind.", ["kind"], registry=registry)

    def note(self, report: AuditReport) -> None:
        self._drift.set(len(report.wrong))
        self._audited.inc(report.cached)
        for audit in report.wrong:
            for difference in audit.differences:
                self._wrong.labels(kind=difference.fault.value).inc()


class TimelineAuditor:
    """Audits until cancelled; not at all where the settings say so."""

    def __init__(self, backends: Backends, settings: Settings, metrics: AuditMetrics) -> None:
        self._backends = backends
        self._every_seconds = settings.audit_seconds
        self._sample = settings.audit_sample
        self._metrics = metrics

    async def run(self) -> None:
        if not self._every_seconds or not self._sample:
            await asyncio.Event().wait()  # off: nothing to do until the process ends
        while True:
            await asyncio.sleep(self._every_seconds)
            try:
                async with asyncio.timeout(_LONGEST_SECONDS):
                    await self.audit_once()
            except (CacheUnavailableError, UnavailableError, TimeoutError) as error:
                log.warning("timeline_audit.server_unavailable", error=type(error).__name__)

    async def audit_once(self) -> AuditReport | None:
        """None where another process had the turn. Raises as `audit_in_turn`."""
        report = await audit_in_turn(self._backends, size=self._sample, every_seconds=self._every_seconds)
        if report is None:
            return None
        self._metrics.note(report)
        for audit in report.wrong[:_NAMED]:
            kinds = {found.fault.value: [*found.post_ids[:_NAMED], *found.elements[:_NAMED]] for found in audit.differences}
            log.error("timeline_audit.found_wrong", viewer_id=audit.viewer_id, kinds=kinds)
        for audit in (report.still_wrong or [])[:_NAMED]:
            log.error("timeline_audit.repair_failed", viewer_id=audit.viewer_id)
        log.info("timeline_audit.ended", audited=report.cached, warm=report.warm, wrong=len(report.wrong))
        return report
