"""What workers, caches and operators of a random walk do, and what happens to them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from db import outbox
from domain.timeline_version import TimelineVersion
from services.fan_out import deliver_event as deliver_module
from services.fan_out.deliver_event import Outcome
from tests.stories.scene import Scene


async def lease(scene: Scene, a: int, _b: int, _c: int) -> None:
    async with scene.backends.database.writing() as session:
        events = await outbox.lease_due_events(session, size=1 + a % 4, lease_seconds=60.0)
    scene.messages += [(event.id, event.attempt) for event in events]


async def deliver(scene: Scene, a: int, b: int, _: int) -> None:
    """One slice of one message; now and then the message stays on the queue although it is done."""
    if not scene.messages:
        return
    message = event_id, attempt = scene.messages[a % len(scene.messages)]
    report = await deliver_module.deliver_event(scene.backends, event_id=event_id, attempt=attempt)
    if report.outcome is not Outcome.CONTINUES and b % 8 and message in scene.messages:
        scene.messages.remove(message)


async def lease_and_deliver(scene: Scene, a: int, b: int, c: int) -> None:
    """The ordinary course of things, as far as a slice or two."""
    await lease(scene, a, 0, 0)
    for _ in range(1 + c % 3):
        await deliver(scene, -1, b, 0)


async def deliver_twice_at_once(scene: Scene, a: int, _b: int, _c: int) -> None:
    if scene.messages:
        event_id, attempt = scene.messages[a % len(scene.messages)]
        job = deliver_module.deliver_event
        await asyncio.gather(*(job(scene.backends, event_id=event_id, attempt=attempt) for _ in range(2)))


async def crash(scene: Scene, _a: int, _b: int, _c: int) -> None:
    """Every lease has ended; the old messages are still somewhere."""
    await scene.sql("UPDATE outbox SET next_attempt_at = clock_timestamp() WHERE closed_at IS NULL")


async def drain(scene: Scene, _a: int, _b: int, _c: int) -> None:
    await scene.world.drain()


async def threshold(scene: Scene, a: int, b: int, c: int) -> None:
    policy = replace(
        scene.backends.policy,
        celebrity_threshold=2 + a % 5,
        fanout_batch=1 + a % 3,
        fanout_writes_per_second=1 / 3_600 * (3 + b % 40),
        pull_hysteresis=(0.0, 0.1, 0.5)[c % 3],
    )
    scene.world.backends = replace(scene.backends, policy=policy)


async def cap(scene: Scene, a: int, b: int, _c: int) -> None:
    """A deployment with another cap: timelines of the old one are still there."""
    scene.backends.timelines.cap = 2 + a % 12
    scene.backends.pulled_posts.cap = 2 + b % 5


async def wipe(scene: Scene, _a: int, _b: int, _c: int) -> None:
    await scene.backends.redis.redis.flushdb()


async def evict(scene: Scene, a: int, b: int, _c: int) -> None:
    if b % 3 == 0:
        await scene.backends.timelines.forget([scene.id(a)])
    elif b % 3 == 1:
        await scene.backends.pulled_posts.forget([scene.id(a)])
    else:
        await scene.backends.pulled_authors.forget(scene.id(a))


async def save(scene: Scene, _a: int, _b: int, _c: int) -> None:
    redis = scene.backends.redis.redis
    scene.saved_keys = {key: await redis.dump(key) for key in await redis.keys("*")}  # type: ignore[misc]


async def restart_with_older_state(scene: Scene, _a: int, _b: int, _c: int) -> None:
    """A server that comes back with what it had saved: another run, and timelines of the past."""
    redis = scene.backends.redis.redis
    await redis.flushdb()
    for key, value in scene.saved_keys.items():
        await redis.restore(key, 60_000, value)
    scene.runs += 1
    scene.backends.redis._run.id = f"run{scene.runs}"


async def dead_builder(scene: Scene, a: int, b: int, _: int) -> None:
    """A reader marks a timeline as building and dies."""
    viewer_id = scene.id(a)
    if not await scene.is_awake(viewer_id):
        return
    version = await scene.world.timeline_version(scene.name(a))
    if b % 4 == 3:
        rows = await scene.sql("SELECT import_version FROM users WHERE id = $1", viewer_id)
        await scene.backends.pulled_posts.forget([viewer_id])
        imported = TimelineVersion(version.database, rows[0][0])
        await scene.backends.pulled_posts.begin_building(viewer_id, version=imported)
        return
    if b % 2:
        await scene.backends.timelines.forget([viewer_id])
    await scene.backends.timelines.begin_building(viewer_id, version=version)
