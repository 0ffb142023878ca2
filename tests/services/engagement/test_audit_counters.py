"""The sweep finds what has drifted, sets it right while people go on, and takes nothing that is in flight for wrong."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from services.engagement.add_comment import add_comment
from services.engagement.audit_counters import audit_counters, sweep_counters
from services.engagement.flush_counters import flush_counters
from services.engagement.like_post import like_post, unlike_post
from tests.services.engagement.asking import see
from tests.services.engagement.true_counters import stored_counts, wrong_counters
from tests.world import World
from workers.counters import CounterMetrics


async def _plant(world: World, statement: str, **values: int) -> None:
    async with world.backends.database.writing() as session:
        await session.execute(text(statement), values)


@pytest.fixture
async def busy(world: World) -> World:
    """Posts with likes, comments and shares, some of it at rest and some in flight."""
    await world.add("ada", "bob", "cat")
    for number in range(7):
        post = await world.post("ada", f"post {number}")
        world.ids[f"post{number}"] = post
        for name in ("bob", "cat")[: number % 3]:
            await like_post(world.backends, viewer_id=world.ids[name], post_id=post)
            await add_comment(world.backends, viewer_id=world.ids[name], post_id=post, body="words")
        if number == 3:
            await world.share("bob", post)
            await world.share("cat", post, "words")
        if number == 4:
            await flush_counters(world.backends)
    return world


async def test_nothing_is_wrong_where_nothing_is(busy: World) -> None:
    report = await audit_counters(busy.backends, repair=True)
    assert (report.compared, report.drifted, report.repaired, report.is_whole) == (9, [], 0, True)


async def test_planted_drift_is_found_and_repaired(busy: World) -> None:
    ids, backends = busy.ids, busy.backends
    likes, comments, shares = ids["post2"], ids["post5"], ids["post3"]
    await _plant(busy, "UPDATE posts SET like_count = like_count + 3 WHERE id = :id", id=likes)
    await _plant(busy, "UPDATE posts SET comment_count = comment_count - 1 WHERE id = :id", id=comments)
    await _plant(busy, "UPDATE posts SET share_count = 0 WHERE id = :id", id=shares)
    found = await audit_counters(backends, repair=False)
    # Of the second one both comments are in flight still: less than nothing is at rest.
    expected = {likes: ((5, 2), (2, 2), (0, 0)), comments: ((2, 2), (1, 2), (0, 0)), shares: ((0, 0), (0, 0), (0, 2))}
    assert {drift.post_id: (drift.likes, drift.comments, drift.shares) for drift in found.drifted} == expected
    assert found.repaired == 0
    report = await sweep_counters(backends)
    assert ({drift.post_id for drift in report.drifted}, report.repaired) == (set(expected), 3)
    assert (await audit_counters(backends, repair=False)).drifted == []
    assert await wrong_counters(backends) == []
    assert (await see(busy, None, likes))["likeCount"] == 2
    await flush_counters(backends)
    assert await stored_counts(backends, comments) == (2, 2)
    assert await wrong_counters(backends) == []
    registry = CollectorRegistry()
    CounterMetrics(registry).note_sweep(report)
    assert registry.get_sample_value("tidings_counter_drift") == 3


async def test_lost_and_invented_changes_in_flight_are_drift_too(busy: World) -> None:
    await _plant(busy, "DELETE FROM counter_changes WHERE post_id = :id", id=busy.ids["post5"])
    await _plant(busy, "INSERT INTO counter_changes (post_id, likes) VALUES (:id, 7)", id=busy.ids["post0"])
    report = await sweep_counters(busy.backends)
    assert {drift.post_id for drift in report.drifted} == {busy.ids["post5"], busy.ids["post0"]}
    await flush_counters(busy.backends)
    assert await wrong_counters(busy.backends) == []


async def test_sweeps_come_round(busy: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.engagement.audit_counters.BATCH_POSTS", 4)
    found = []
    for _ in range(6):
        # No time at all: one part a turn.
        await _plant(busy, "UPDATE posts SET like_count = like_count + 1 WHERE id = :id", id=busy.ids["post0"])
        report = await sweep_counters(busy.backends, seconds=0)
        found.append((report.compared, report.is_whole, len(report.drifted)))
    # Nothing is looked at twice before all of it was looked at once.
    assert found == [(4, False, 0), (4, False, 0), (1, True, 1)] * 2


async def test_repairs_while_people_go_on(world: World) -> None:
    """Likes, their ends, flushes and repairs of the same post in any order leave what is true."""
    names = [f"fan{number}" for number in range(5)]
    await world.add("ada", *names)
    post = await world.post("ada")
    is_over = asyncio.Event()

    async def flush() -> None:
        while not is_over.is_set():
            await flush_counters(world.backends)

    async def disturb() -> None:
        while not is_over.is_set():
            await _plant(world, "UPDATE posts SET like_count = like_count + 1 WHERE id = :id", id=post)
            await sweep_counters(world.backends)
            assert await wrong_counters(world.backends) == []

    async def go(name: str) -> None:
        for _ in range(8):
            await like_post(world.backends, viewer_id=world.ids[name], post_id=post)
            await unlike_post(world.backends, viewer_id=world.ids[name], post_id=post)

    others = [asyncio.create_task(work()) for work in (flush, disturb)]
    await asyncio.gather(*(go(name) for name in names))
    is_over.set()
    await asyncio.gather(*others)
    await flush_counters(world.backends)
    assert await stored_counts(world.backends, post) == (0, 0)
    assert await wrong_counters(world.backends) == []
