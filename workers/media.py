"""The actors of media. Messages carry nothing: what is to be done stands in the database."""

from __future__ import annotations

import time

import dramatiq
import structlog

from domain.errors import UnavailableError
from services.media.collect_media import collect_media, sweep_uploads
from services.media.process_upload import ProcessingOutcome, process_next_upload
from workers.broker import broker, running_backends
from workers.queues import MEDIA, MEDIA_PRIORITY

_BEGIN_SECONDS = 5.0
"""So long a job begins with further ones."""
_TIME_LIMIT_MS = 150_000
"""One picture takes seconds; the store and the decoder have deadlines of their own, which add up to less."""
SWEEP_EVERY_SECONDS = 3_600.0

log = structlog.get_logger(__name__)


@dramatiq.actor(
    actor_name="media.process_uploads", queue_name=MEDIA, priority=MEDIA_PRIORITY, time_limit=_TIME_LIMIT_MS, broker=broker
)
async def process_uploads() -> None:
    """Finished uploads become pictures."""
    backends, started = running_backends(), time.monotonic()
    try:
        while time.monotonic() - started < _BEGIN_SECONDS:
            outcome = await process_next_upload(backends)
            if outcome is ProcessingOutcome.NOTHING:
                return
            log.info("media.processed", outcome=outcome.value)
    except UnavailableError as error:
        log.warning("media.server_unavailable", error=str(error))


@dramatiq.actor(actor_name="media.collect", queue_name=MEDIA, priority=MEDIA_PRIORITY, time_limit=_TIME_LIMIT_MS, broker=broker)
async def collect() -> None:
    """Media that nobody needs any more go."""
    backends, started = running_backends(), time.monotonic()
    try:
        while time.monotonic() - started < _BEGIN_SECONDS and await collect_media(backends):
            pass
    except UnavailableError as error:
        log.warning("media.server_unavailable", error=str(error))


@dramatiq.actor(actor_name="media.sweep", queue_name=MEDIA, priority=MEDIA_PRIORITY, time_limit=_TIME_LIMIT_MS, broker=broker)
async def sweep() -> None:
    """Uploads that belong to nothing go."""
    try:
        count = await sweep_uploads(running_backends())
    except UnavailableError as error:
        log.warning("media.server_unavailable", error=str(error))
        return
    if count:
        log.info("media.swept", uploads=count)
