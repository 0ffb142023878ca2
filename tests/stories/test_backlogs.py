"""A real relay with more than the workers can do at once: what waits is leased when its turn is near, and no sooner."""

from __future__ import annotations

import asyncio

import redis
from sqlalchemy import text

from services.backends import Backends
from settings import Settings
from tests.stories.test_killed_workers import LEASE_SECONDS, process
from tests.world import World
from workers.queues import FAST
from workers.relay import BATCH_SIZE, MAX_QUEUED

ROWS = 2_000
_PROMISE = "INSERT INTO outbox (kind, author_id, post_id) SELECT 'feed_changed', :author_id, 0 FROM generate_series(1, :rows)"
_LEASED = "SELECT count(*) FILTER (WHERE attempts > 0), coalesce(sum(attempts), 0) FROM outbox"
_OPEN = "SELECT count(*) FROM outbox WHERE closed_at IS NULL"


async def _row(backends: Backends, query: str) -> tuple[int, ...]:
    async with backends.database.reading() as session:
        return tuple((await session.execute(text(query))).one())


async def test_a_backlog_waits_unleased_and_is_worked_off_once(settings: Settings, backends: Backends) -> None:
    world = World(backends)
    await world.add("ada")
    async with backends.database.writing() as session:
        await session.execute(text("DELETE FROM outbox"))
        await session.execute(text(_PROMISE), {"author_id": world.ids["ada"], "rows": ROWS})
    broker = redis.Redis.from_url(settings.broker_url.get_secret_value())
    with process("relay", settings):
        async with asyncio.timeout(20):
            while (await _row(backends, _LEASED))[0] <= MAX_QUEUED:
                await asyncio.sleep(0.1)
        # Long enough that leases end: nothing is sent again behind what waits already.
        await asyncio.sleep(1.5 * LEASE_SECONDS)
        leased, attempts = await _row(backends, _LEASED)
        assert MAX_QUEUED < leased == attempts <= MAX_QUEUED + BATCH_SIZE
        assert broker.llen(f"{{dramatiq}}:{FAST}") == leased
        with process("worker", settings):
            async with asyncio.timeout(60):
                while (await _row(backends, _OPEN))[0]:
                    await asyncio.sleep(0.2)
    broker.close()
