"""The actors of fan-out. A message carries ids only: what is to be done stands in the outbox."""

from __future__ import annotations

import asyncio

import dramatiq
import structlog

from domain.errors import CacheUnavailableError, UnavailableError
from services.fan_out.deliver_event import Outcome, deliver_event
from services.fan_out.note_failure import note_failure, postpone
from workers.broker import broker, running_backends
from workers.queue_bell import RungBroker
from workers.queues import BULK, BULK_FOLLOWERS, BULK_PRIORITY, FAST, FAST_PRIORITY

log = structlog.get_logger(__name__)


async def _deliver(event_id: int, attempt: int) -> None:
    backends = running_backends()
    try:
        report = await deliver_event(backends, event_id=event_id, attempt=attempt)
    except (CacheUnavailableError, UnavailableError) as error:
        # Nobody's fault: the row is still open, and due again shortly or when its lease ends.
        log.warning("fan_out.server_unavailable", event_id=event_id, error=type(error).__name__)
        await postpone(backends, event_id=event_id, attempt=attempt)
        return
    except Exception as error:
        log.exception("fan_out.failed", event_id=event_id, attempt=attempt)
        await note_failure(backends, event_id=event_id, attempt=attempt, error=error)
        return
    log.debug("fan_out.delivered", event_id=event_id, outcome=report.outcome.value, timelines=report.timelines_written)
    if report.outcome is Outcome.CONTINUES:
        # What is lost on the way to the queue comes back when the lease ends.
        await asyncio.to_thread(deliver_rest.send, event_id, attempt)


@dramatiq.actor(actor_name="fan_out.deliver_post", queue_name=FAST, priority=FAST_PRIORITY, broker=broker)
async def deliver_post(event_id: int, attempt: int) -> None:
    """A post of an author with few followers."""
    await _deliver(event_id, attempt)


@dramatiq.actor(actor_name="fan_out.deliver_rest", queue_name=BULK, priority=BULK_PRIORITY, broker=broker)
async def deliver_rest(event_id: int, attempt: int) -> None:
    """One slice of a large fan-out."""
    await _deliver(event_id, attempt)


def send_event(event_id: int, attempt: int, follower_count: int) -> None:
    """Puts a leased row on its queue. Blocks for a round trip; raises what the broker raises when it is away."""
    actor = deliver_rest if follower_count >= BULK_FOLLOWERS else deliver_post
    actor.send(event_id, attempt)


def count_queued() -> int:
    """Messages for small fan-outs that no worker has finished. Blocks for a round trip; raises what the broker raises.

    Large ones are apart: they come in slices for a long time, and must not keep the small ones from their queue.
    """
    if isinstance(broker, RungBroker):
        return int(broker.do_qsize(FAST))
    counts = getattr(broker, "get_queue_message_counts", None)  # RabbitMQ's
    return int(counts(FAST)[0]) if counts is not None else 0
