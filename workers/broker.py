"""Dramatiq's broker, which actors bind to when they are imported: the one module-level object of the project.

Its Redis is the task queue's own, never the feeds': maintenance scans all keys of its database.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import dramatiq
import redis
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Middleware, ShutdownNotifications, TimeLimit
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from services.backends import Backends
from settings import Settings
from workers.queue_bell import RungBroker
from workers.queues import HEARTBEAT_TIMEOUT_MS, MAINTENANCE_CHANCE, TIME_LIMIT
from workers.runtime import Runtime

_SOCKET_TIMEOUT_SECONDS = 2.0


def _middleware(settings: Settings) -> list[Middleware]:
    # No Retries: the outbox tries again, and dramatiq's own retry loses the message when the broker is away at that moment.
    return [TimeLimit(time_limit=int(TIME_LIMIT.total_seconds() * 1_000)), ShutdownNotifications(), Runtime(settings)]


def make_broker(settings: Settings) -> dramatiq.Broker:
    """The broker of TIDINGS_BROKER_URL; without one, a stub, so that actors can be imported.

    Raises ValueError where the address is the feeds' own database.
    """
    url = settings.broker_url.get_secret_value()
    middleware = _middleware(settings)
    if not url:
        return StubBroker(middleware=middleware)
    if url.startswith(("amqp://", "amqps://")):
        from dramatiq.brokers.rabbitmq import RabbitmqBroker  # needs the package pika, which only RabbitMQ users install

        return RabbitmqBroker(url=url, middleware=middleware)
    if _place(url) == _place(settings.redis_url.get_secret_value()):
        raise ValueError("TIDINGS_BROKER_URL must be another database than TIDINGS_REDIS_URL")
    client = redis.Redis.from_url(
        url,
        socket_timeout=_SOCKET_TIMEOUT_SECONDS,
        socket_connect_timeout=_SOCKET_TIMEOUT_SECONDS,
        retry=Retry(ExponentialBackoff(), 2),
    )
    return RungBroker(
        client=client,
        middleware=middleware,
        # The braces keep all its keys in one slot of a cluster.
        namespace="{dramatiq}",
        heartbeat_timeout=HEARTBEAT_TIMEOUT_MS,
        maintenance_chance=MAINTENANCE_CHANCE,
    )


def _place(url: str) -> tuple[str | None, int | None, str]:
    parts = urlsplit(url)
    return parts.hostname, parts.port or 6_379, parts.path.strip("/") or "0"


broker = make_broker(Settings())
dramatiq.set_broker(broker)


def running_backends() -> Backends:
    """Of the worker that runs in this process. Raises RuntimeError where none does."""
    return next(middleware for middleware in broker.middleware if isinstance(middleware, Runtime)).backends
