"""The actors of discovery: trends and popular accounts. A message carries nothing; done twice it is the same."""

from __future__ import annotations

import dramatiq
import structlog

from domain.errors import UnavailableError
from services.discovery.suggest_users import refresh_popular_accounts as refresh_popular_accounts_use_case
from services.discovery.trending_hashtags import refresh_trends as refresh_trends_use_case
from workers.broker import broker, running_backends
from workers.queues import DISCOVERY, DISCOVERY_PRIORITY

TRENDS_SECONDS = 15.0
"""A hashtag that is used now is in the list after one and a half of these at most, while workers keep up."""
POPULAR_SECONDS = 60.0

log = structlog.get_logger(__name__)


@dramatiq.actor(actor_name="discovery.refresh_trends", queue_name=DISCOVERY, priority=DISCOVERY_PRIORITY, broker=broker)
async def refresh_trends() -> None:
    try:
        await refresh_trends_use_case(running_backends())
    except UnavailableError:
        log.warning("discovery.server_unavailable", work="trends")


@dramatiq.actor(
    actor_name="discovery.refresh_popular_accounts",
    queue_name=DISCOVERY,
    priority=DISCOVERY_PRIORITY,
    broker=broker,
)
async def refresh_popular_accounts() -> None:
    try:
        await refresh_popular_accounts_use_case(running_backends())
    except UnavailableError:
        log.warning("discovery.server_unavailable", work="popular_accounts")
