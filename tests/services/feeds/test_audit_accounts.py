from __future__ import annotations

import asyncio

from prometheus_client import CollectorRegistry

from cache import keys
from services.feeds.audit_accounts import audit_everybody, audit_in_turn, audit_sample
from services.feeds.rebuild_many_timelines import rebuild_many_timelines
from settings import Settings
from tests.timeline_corruptions import member
from tests.world import World
from workers.timeline_audit import AuditMetrics, TimelineAuditor

_NAMES = [f"p{number}" for number in range(12)]


async def _world(world: World) -> list[int]:
    await world.backends.redis.redis.flushdb()
    await world.add("ada", *_NAMES)
    for name in _NAMES:
        await world.follow(name, "ada")
    posts = [await world.post("ada") for _ in range(5)]
    await world.drain()
    assert await rebuild_many_timelines(world.backends, [world.ids[name] for name in _NAMES]) == len(_NAMES)
    return posts


async def _spoil(world: World, name: str, post_id: int) -> None:
    await world.backends.redis.redis.zrem(keys.timeline(world.ids[name]), member(post_id))


async def test_everybody_is_looked_at_and_nothing_changes_without_repair(world: World) -> None:
    posts = await _world(world)
    await _spoil(world, "p3", posts[2])
    steps: list[int] = []
    report = await audit_everybody(world.backends, repair=False, on_progress=steps.append)
    assert (report.accounts, report.cached, report.warm) == (13, 12, 12)
    assert steps == [13]
    assert [audit.viewer_id for audit in report.wrong] == [world.ids["p3"]]
    assert report.still_wrong is None
    again = await audit_everybody(world.backends, repair=True)
    assert again.wrong == report.wrong
    assert again.still_wrong == []
    assert (await audit_everybody(world.backends, repair=True)).wrong == []


async def test_a_sample_has_its_size_and_meets_only_who_is_cached(world: World) -> None:
    await _world(world)
    await world.backends.redis.redis.set("something else", "x")
    report = await audit_sample(world.backends, size=5, repair=False)
    assert (report.accounts, report.cached) == (5, 5)
    report = await audit_sample(world.backends, size=500, repair=False)
    assert (report.accounts, report.cached) == (12, 12)


async def test_a_large_cache_is_sampled_without_listing_it(world: World) -> None:
    await _world(world)
    pipeline = world.backends.redis.redis.pipeline(transaction=False)
    for number in range(25_000):
        pipeline.set(f"something else {number}", "x")
        pipeline.zadd(keys.timeline(10_000_000 + number), {"r:r:d:1:w": "-inf"})
    await pipeline.execute()
    report = await audit_sample(world.backends, size=100, repair=False)
    assert report.cached == report.accounts == 100
    assert report.wrong == []
    await world.backends.redis.redis.flushdb()


async def test_the_turn_goes_to_one_process_at_a_time(world: World) -> None:
    await _world(world)
    reports = await asyncio.gather(*(audit_in_turn(world.backends, size=10, every_seconds=60) for _ in range(4)))
    assert len([report for report in reports if report is not None]) == 1
    assert await audit_in_turn(world.backends, size=10, every_seconds=60) is None
    assert await audit_in_turn(world.backends, size=10, every_seconds=0) is not None


async def test_the_regular_audit_repairs_and_tells_the_drift(world: World, settings: Settings) -> None:
    posts = await _world(world)
    registry = CollectorRegistry()
    changed = settings.model_copy(update={"audit_seconds": 0.05, "audit_sample": 50})
    auditor = TimelineAuditor(world.backends, changed, AuditMetrics(registry))
    await auditor.audit_once()
    assert registry.get_sample_value("tidings_timeline_drift") == 0
    assert registry.get_sample_value("tidings_timelines_audited_total") == 12
    await _spoil(world, "p1", posts[1])
    await _spoil(world, "p2", posts[1])
    await asyncio.sleep(0.06)
    report = await auditor.audit_once()
    assert report is not None
    assert report.still_wrong == []
    assert registry.get_sample_value("tidings_timeline_drift") == 2
    assert registry.get_sample_value("tidings_timeline_faults_total", {"kind": "missing"}) == 2
    running = asyncio.create_task(auditor.run())
    async with asyncio.timeout(10):
        while registry.get_sample_value("tidings_timeline_drift"):
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()


async def test_without_seconds_or_a_sample_nothing_is_audited(world: World, settings: Settings) -> None:
    for off in ({"audit_seconds": 0.0}, {"audit_sample": 0}):
        registry = CollectorRegistry()
        changed = settings.model_copy(update={"audit_seconds": 0.01, **off})
        running = asyncio.create_task(TimelineAuditor(world.backends, changed, AuditMetrics(registry)).run())
        await asyncio.wait([running], timeout=0.1)
        assert registry.get_sample_value("tidings_timelines_audited_total") == 0
        running.cancel()
        await asyncio.wait([running])
