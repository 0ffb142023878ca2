"""A real relay with more than the workers can do at once: what waits is leased when its turn is near, and no sooner."""

from __future__ import annotations

import asyncio

import pytest
import redis
from sqlalchemy import text

from db.outbox import ring_relays
from services.backends import Backends
from settings import Settings
from tests.stories.test_killed_workers import LEASE_SECONDS, process
from tests.world import World
from workers.queues import FAST
from workers.relay import BATCH_SIZE, MAX_QUEUED

ROWS = 2_000
FEW = 20
_PROMISE = "INSERT INTO outbox (kind, author_id, post_id) SELECT 'feed_changed', :author_id, 0 FROM generate_series(1, :rows)"
_LEASED = "SELECT count(*) FILTER (WHERE attempts > 0), coalesce(sum(attempts), 0) FROM outbox"
_OPEN = "SELECT count(*) FROM outbox WHERE closed_at IS NULL"


async def _row(backends: Backends, query: str) -> tuple[int, ...]:
    async with backends.database.reading() as session:
        return tuple((await session.execute(text(query))).one())


async def _promise(world: World, rows: int) -> None:
    async with world.backends.database.writing() as session:
        await session.execute(text(_PROMISE), {"author_id": world.ids["ada"], "rows": rows})
        await ring_relays(session)


@pytest.mark.parametrize("at_a_time", [ROWS, FEW])
async def test_a_backlog_waits_unleased_and_is_worked_off_once(settings: Settings, backends: Backends, at_a_time: int) -> None:
    """Whether all of it is there at once, or comes little by little, faster than it can be done."""
    world = World(backends)
    await world.add("ada")
    async with backends.database.writing() as session:
        await session.execute(text("DELETE FROM outbox"))
    broker = redis.Redis.from_url(settings.broker_url.get_secret_value())
    with process("relay", settings):
        await _promise(world, 1)
        async with asyncio.timeout(20):
            while not (await _row(backends, _LEASED))[0]:
                await asyncio.sleep(0.1)
        for _ in range(ROWS // at_a_time):
            await _promise(world, at_a_time)
            await asyncio.sleep(0.03)
        async with asyncio.timeout(20):
            while (await _row(backends, _LEASED))[0] <= MAX_QUEUED:
                await asyncio.sleep(0.1)
        # Long enough that leases end: nothing is sent again behind what waits already.
        await asyncio.sleep(1.5 * LEASE_SECONDS)
        leased, attempts = await _row(backends, _LEASED)
        assert MAX_QUEUED < leased == attempts < MAX_QUEUED + 2 * BATCH_SIZE
        assert broker.llen(f"{{dramatiq}}:{FAST}") == leased
        with process("worker", settings):
            async with asyncio.timeout(60):
                while (await _row(backends, _OPEN))[0]:
                    await asyncio.sleep(0.2)
    broker.close()
