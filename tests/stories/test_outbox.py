"""What the outbox promises: nothing accepted is lost, whoever fails, and nobody waits for somebody else's poison."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from db import outbox
from domain.event_log import LogEntry
from services.fan_out import deliver_event as deliver_module
from services.fan_out.deliver_event import deliver_event
from services.fan_out.note_failure import MAX_FAILURES, note_failure
from tests.world import World, ids, newest_first


async def _due_now(world: World) -> None:
    async with world.backends.database.writing() as session:
        await session.execute(text("UPDATE outbox SET next_attempt_at = now() WHERE closed_at IS NULL"))


async def _lease(world: World) -> list[outbox.LeasedEvent]:
    async with world.backends.database.writing() as session:
        return await outbox.lease_due_events(session, size=50, lease_seconds=10.0)


async def test_a_poison_event_is_parked_and_troubles_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.add("ada", "eve", "bob")
    await world.follow("bob", "ada", "eve")
    await world.warm("bob")
    poison = await world.post("eve")
    good = [await world.post("ada") for _ in range(5)]
    deliver = world.backends.timelines.deliver

    async def poisoned(viewer_ids: list[int], post_id: int, entry: LogEntry) -> int:
        if post_id == poison:
            raise ZeroDivisionError("poison")
        return await deliver(viewer_ids, post_id, entry)

    monkeypatch.setattr(world.backends.timelines, "deliver", poisoned)
    for _ in range(MAX_FAILURES):
        await _due_now(world)
        for event in await _lease(world):
            try:
                await deliver_event(world.backends, event_id=event.id, attempt=event.attempt)
            except ZeroDivisionError as error:
                await note_failure(world.backends, event_id=event.id, attempt=event.attempt, error=error)
    async with world.backends.database.reading() as session:
        rows = (
            await session.execute(text("SELECT post_id, failures, last_error FROM outbox WHERE parked_at IS NOT NULL"))
        ).all()
        totals = await outbox.count_events(session)
    assert [tuple(row) for row in rows] == [(poison, MAX_FAILURES, "ZeroDivisionError")]
    assert (totals.open, totals.parked) == (0, 1)
    await _due_now(world)
    assert await _lease(world) == []
    inspection = await world.backends.timelines.inspect(world.ids["bob"])
    assert inspection.ids == newest_first(good)
    assert await world.walk("bob", 2) == newest_first([poison, *good])


async def test_a_new_attempt_goes_on_where_the_last_one_noted_and_rewrites_at_most_one_chunk(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    monkeypatch.setattr(deliver_module, "JOB_SECONDS", 0.0)
    world.backends = replace(world.backends, policy=replace(world.backends.policy, fanout_batch=4, fanout_cache_batch=1))
    followers = [f"f{number}" for number in range(9)]
    await world.add("ada", *followers)
    for name in followers:
        await world.follow(name, "ada")
        await world.warm(name)
    await world.drain()
    post = await world.post("ada")
    (event,) = await _lease(world)
    written: list[int] = []
    deliver = world.backends.timelines.deliver

    async def noted(viewer_ids: list[int], post_id: int, entry: LogEntry) -> int:
        if len(written) == 5:  # in the middle of the third chunk
            written.append(0)
            raise RuntimeError("killed")
        written.extend(viewer_ids)
        return await deliver(viewer_ids, post_id, entry)

    monkeypatch.setattr(world.backends.timelines, "deliver", noted)
    for _ in range(2):
        await deliver_event(world.backends, event_id=event.id, attempt=event.attempt)
    with pytest.raises(RuntimeError, match="killed"):
        await deliver_event(world.backends, event_id=event.id, attempt=event.attempt)
    assert all([ids(await world.page(name)) == [post] for name in followers])
    await _due_now(world)
    assert await world.drain() == 1
    counts = [written.count(world.ids[name]) for name in followers]
    assert min(counts) == 1
    assert sum(counts) <= len(followers) + 2, "more than one chunk was written again"
    for name in followers:
        assert (await world.backends.timelines.inspect(world.ids[name])).ids == [post]


async def _lease_seconds(world: World) -> int:
    """Leases the one row, due or not, and tells for how long."""
    await _due_now(world)
    await _lease(world)
    async with world.backends.database.reading() as session:
        left = "SELECT extract(epoch FROM next_attempt_at - clock_timestamp()) FROM outbox"
        # To the next five seconds: how long the test itself took must not matter.
        return -int(-float((await session.execute(text(left))).scalar_one()) // 5) * 5


async def test_leases_that_nobody_takes_up_become_longer_until_somebody_does(world: World) -> None:
    await world.add("ada")
    await world.post("ada")
    assert [await _lease_seconds(world) for _ in range(8)] == [10, 10, 20, 40, 80, 160, 300, 300]
    await _due_now(world)
    (event,) = await _lease(world)
    async with world.backends.database.writing() as session:
        assert await outbox.hold_event(session, event.id, attempt=event.attempt, lease_seconds=10.0)
    assert [await _lease_seconds(world) for _ in range(3)] == [10, 10, 20]
    async with world.backends.database.writing() as session:
        await session.execute(text("UPDATE outbox SET unheard = 100000"))
    assert await _lease_seconds(world) == 300


async def test_postponed_and_given_back_rows_keep_the_short_lease(world: World) -> None:
    await world.add("ada")
    await world.post("ada")
    for _ in range(10):
        await _due_now(world)
        (event,) = await _lease(world)
        async with world.backends.database.writing() as session:
            assert await outbox.hold_event(session, event.id, attempt=event.attempt, lease_seconds=10.0)
            await outbox.postpone_event(session, event.id, attempt=event.attempt, seconds=1.0)
    assert event.attempt == 10
    for _ in range(10):
        await _due_now(world)
        (event,) = await _lease(world)
        async with world.backends.database.writing() as session:
            await outbox.give_back_events(session, [event.id], seconds=1.0)
    assert await _lease_seconds(world) == 10
