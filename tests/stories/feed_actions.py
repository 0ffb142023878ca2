"""What a random walk does to a small world: people's actions, workers in any order, faults of the cache."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Self

from sqlalchemy import text

from cache import timelines as timelines_module
from db import outbox
from domain.errors import RefusedError
from domain.records import Visibility
from domain.timeline_version import TimelineVersion
from services.accounts.update_profile import update_profile
from services.backends import Backends
from services.fan_out import audiences as audiences_module
from services.fan_out import deliver_event as deliver_module
from services.graph.answer_follow_request import answer_follow_request
from services.posts.delete_post import delete_post
from services.posts.edit_post import edit_post
from tests.oracle import expected_feed
from tests.world import World, ids

SMALL_CAP = 3
SMALL_SLACK = 1
_VISIBILITIES = (Visibility.PUBLIC, Visibility.PUBLIC, Visibility.PUBLIC, Visibility.FRIENDS, Visibility.PRIVATE)
_TABLES = "TRUNCATE users, posts, follows, follow_requests, outbox"


class _ChosenRun:
    """Stands for the server's run in the client, so that a restart can be played without one."""

    def __init__(self, run_id: str) -> None:
        self.id = run_id


@dataclass
class Scene:
    """The world of one walk and what the workers have in their hands."""

    world: World
    names: list[str]
    posts: list[tuple[str, int]] = field(default_factory=list)
    messages: list[tuple[int, int]] = field(default_factory=list)
    """(event, attempt) on the queue: may be stale, may come twice."""
    cursors: dict[int, list[tuple[str, int]]] = field(default_factory=dict)
    """Page cursors once given out, by viewer: (cursor, the id behind which it goes on)."""
    saved_keys: dict[bytes, bytes] = field(default_factory=dict)
    runs: int = 0
    _slack: int = timelines_module.TRIM_SLACK
    _job_seconds: float = deliver_module.JOB_SECONDS
    _worth_from: int = audiences_module.WORTH_FROM
    _load_chunk: int = audiences_module.LOAD_CHUNK

    @classmethod
    async def open(cls, backends: Backends, *, people: int) -> Self:
        backends = replace(
            backends, policy=replace(backends.policy, celebrity_threshold=4, fanout_batch=2, fanout_cache_batch=1)
        )
        backends.timelines.cap = backends.pulled_posts.cap = SMALL_CAP
        backends.redis._run = _ChosenRun("run0")  # type: ignore[assignment]
        async with backends.database.writing() as session:
            await session.execute(text(_TABLES))
        await backends.redis.redis.flushdb()
        scene = cls(World(backends), [f"p{number}" for number in range(people)])
        timelines_module.TRIM_SLACK = SMALL_SLACK
        deliver_module.JOB_SECONDS = 0.0
        audiences_module.WORTH_FROM, audiences_module.LOAD_CHUNK = 0, 2
        await scene.world.add(*scene.names)
        return scene

    def close(self) -> None:
        timelines_module.TRIM_SLACK = self._slack
        deliver_module.JOB_SECONDS = self._job_seconds
        audiences_module.WORTH_FROM, audiences_module.LOAD_CHUNK = self._worth_from, self._load_chunk

    @property
    def backends(self) -> Backends:
        return self.world.backends

    def name(self, number: int) -> str:
        return self.names[number % len(self.names)]

    def two(self, a: int, b: int) -> tuple[str, str]:
        first = a % len(self.names)
        return self.names[first], self.names[(first + 1 + b % (len(self.names) - 1)) % len(self.names)]

    async def sql(self, statement: str, **parameters: object) -> list[tuple[object, ...]]:
        async with self.backends.database.writing() as session:
            result = await session.execute(text(statement), parameters)
            return [tuple(row) for row in result] if result.returns_rows else []  # type: ignore[attr-defined]


async def _follow(scene: Scene, a: int, b: int, _: int) -> None:
    try:
        await scene.world.follow(*scene.two(a, b))
    except RefusedError:  # hidden from the follower
        return


async def _unfollow(scene: Scene, a: int, b: int, _: int) -> None:
    try:
        await scene.world.unfollow(*scene.two(a, b))
    except RefusedError:
        return


async def _post(scene: Scene, a: int, b: int, _: int) -> None:
    author = scene.name(a)
    scene.posts.append((author, await scene.world.post(author, "hello", _VISIBILITIES[b % len(_VISIBILITIES)])))


async def _edit(scene: Scene, a: int, b: int, c: int) -> None:
    if not scene.posts:
        return
    # Newer posts are the more interesting ones.
    author, post_id = scene.posts[-1 - a % min(len(scene.posts), 8)]
    body = f"edited {c}" if c % 3 == 0 else None
    try:
        await edit_post(
            scene.backends,
            author_id=scene.world.ids[author],
            post_id=post_id,
            body=body,
            visibility=_VISIBILITIES[2 + b % 3],
        )
    except RefusedError:  # deleted
        return


async def _burst(scene: Scene, a: int, b: int, _: int) -> None:
    """More posts of one author than a timeline holds, delivered one by one."""
    for number in range(1 + b % 5):
        await _post(scene, a, number, 0)
        await scene.world.drain()


async def _hide_and_show(scene: Scene, a: int, b: int, c: int) -> None:
    """Private and public again, so that one post has several promises."""
    await _edit(scene, a, 2, 1)
    await _edit(scene, a, 0 if c % 2 else 1, 1)


async def _delete(scene: Scene, a: int, _b: int, _c: int) -> None:
    if not scene.posts:
        return
    author, post_id = scene.posts.pop(a % len(scene.posts))
    await delete_post(scene.backends, author_id=scene.world.ids[author], post_id=post_id)


async def _set_private(scene: Scene, a: int, b: int, _: int) -> None:
    user_id = scene.world.ids[scene.name(a)]
    await update_profile(scene.backends, user_id=user_id, display_name=None, bio=None, is_private=b % 2 == 0)


async def _answer_request(scene: Scene, a: int, b: int, _: int) -> None:
    waiting = await scene.sql("SELECT follower_id, followee_id FROM follow_requests ORDER BY 1, 2")
    if waiting:
        follower_id, followee_id = waiting[a % len(waiting)]
        await answer_follow_request(
            scene.backends,
            viewer_id=followee_id,  # type: ignore[arg-type]
            requester_id=follower_id,  # type: ignore[arg-type]
            accept=b % 4 != 0,
        )


async def _moderate(scene: Scene, a: int, b: int, c: int) -> None:
    column = "suspended_at" if b % 2 else "shadow_banned_at"
    value = "now()" if c % 3 == 0 else "NULL"
    await scene.sql(f"UPDATE users SET {column} = {value} WHERE id = :id", id=scene.world.ids[scene.name(a)])


async def _lease(scene: Scene, a: int, _b: int, _c: int) -> None:
    async with scene.backends.database.writing() as session:
        events = await outbox.lease_due_events(session, size=1 + a % 4, lease_seconds=60.0)
    scene.messages += [(event.id, event.attempt) for event in events]


async def _deliver(scene: Scene, a: int, b: int, _: int) -> None:
    """One slice of one message; now and then the message stays on the queue although it is done."""
    if not scene.messages:
        return
    message = event_id, attempt = scene.messages[a % len(scene.messages)]
    report = await deliver_module.deliver_event(scene.backends, event_id=event_id, attempt=attempt)
    if report.outcome is not deliver_module.Outcome.CONTINUES and b % 8 and message in scene.messages:
        scene.messages.remove(message)


async def _deliver_twice_at_once(scene: Scene, a: int, _b: int, _c: int) -> None:
    if scene.messages:
        event_id, attempt = scene.messages[a % len(scene.messages)]
        job = deliver_module.deliver_event
        await asyncio.gather(*(job(scene.backends, event_id=event_id, attempt=attempt) for _ in range(2)))


async def _crash(scene: Scene, _a: int, _b: int, _c: int) -> None:
    """Every lease has ended; the old messages are still somewhere."""
    await scene.sql("UPDATE outbox SET next_attempt_at = clock_timestamp() WHERE closed_at IS NULL")


async def _drain(scene: Scene, _a: int, _b: int, _c: int) -> None:
    await scene.world.drain()


async def _warm(scene: Scene, a: int, b: int, _: int) -> None:
    for number in range(a, a + 1 + b % 4):
        if await _is_awake(scene, scene.name(number)):
            await scene.world.warm(scene.name(number))


async def _read_while_it_happens(scene: Scene, a: int, b: int, c: int) -> None:
    """Two readers at once, a worker, and one change: what was there before and after is on every page."""
    viewer = scene.name(a)
    if not await _is_awake(scene, viewer):
        return
    change = (_follow, _unfollow, _post, _delete, _edit)[b % 5]
    user_id = scene.world.ids[viewer]
    if c % 2:
        await scene.backends.timelines.forget([user_id])
    if c % 3 == 0:
        await scene.backends.pulled_authors.forget(user_id)
        await scene.backends.pulled_posts.forget(list(scene.world.ids.values()))
    before = set(await expected_feed(scene.backends, user_id))
    first, second, *_rest = await asyncio.gather(
        scene.world.page(viewer, 100),
        scene.world.page(viewer, 100),
        _deliver(scene, b, c, 0),
        _deliver(scene, c, b, 0),
        change(scene, c if b % 5 in (2, 3, 4) else a, b, c),
    )
    after = set(await expected_feed(scene.backends, user_id))
    for page in (first, second):
        found = ids(page)
        assert found == sorted(set(found), reverse=True), f"out of order or twice: {found}"
        assert before & after <= set(found) <= before | after, f"read during {change.__name__}: {found}, {before}, {after}"


async def _threshold(scene: Scene, a: int, b: int, c: int) -> None:
    policy = replace(
        scene.backends.policy,
        celebrity_threshold=2 + a % 5,
        fanout_batch=1 + a % 3,
        fanout_writes_per_second=1 / 3_600 * (3 + b % 40),
        pull_hysteresis=(0.0, 0.1, 0.5)[c % 3],
    )
    scene.world.backends = replace(scene.backends, policy=policy)


async def _cap(scene: Scene, a: int, b: int, _c: int) -> None:
    """A deployment with another cap: timelines of the old one are still there."""
    scene.backends.timelines.cap = 2 + a % 12
    scene.backends.pulled_posts.cap = 2 + b % 5


async def _wipe(scene: Scene, _a: int, _b: int, _c: int) -> None:
    await scene.backends.redis.redis.flushdb()


async def _evict(scene: Scene, a: int, b: int, _c: int) -> None:
    user_id = scene.world.ids[scene.name(a)]
    if b % 3 == 0:
        await scene.backends.timelines.forget([user_id])
    elif b % 3 == 1:
        await scene.backends.pulled_posts.forget([user_id])
    else:
        await scene.backends.pulled_authors.forget(user_id)


async def _save(scene: Scene, _a: int, _b: int, _c: int) -> None:
    redis = scene.backends.redis.redis
    scene.saved_keys = {key: await redis.dump(key) for key in await redis.keys("*")}  # type: ignore[misc]


async def _restart_with_older_state(scene: Scene, _a: int, _b: int, _c: int) -> None:
    """A server that comes back with what it had saved: another run, and timelines of the past."""
    redis = scene.backends.redis.redis
    await redis.flushdb()
    for key, value in scene.saved_keys.items():
        await redis.restore(key, 60_000, value)
    scene.runs += 1
    scene.backends.redis._run.id = f"run{scene.runs}"


async def _dead_builder(scene: Scene, a: int, b: int, _: int) -> None:
    """A reader marks a timeline as building and dies."""
    name = scene.name(a)
    if not await _is_awake(scene, name):
        return
    user_id = scene.world.ids[name]
    version = await scene.world.timeline_version(name)
    if b % 4 == 3:
        rows = await scene.sql("SELECT import_version FROM users WHERE id = :id", id=user_id)
        await scene.backends.pulled_posts.forget([user_id])
        imported = TimelineVersion(version.database, rows[0][0])  # type: ignore[arg-type]
        await scene.backends.pulled_posts.begin_building(user_id, version=imported)
        return
    if b % 2:
        await scene.backends.timelines.forget([user_id])
    await scene.backends.timelines.begin_building(user_id, version=version)


async def _is_awake(scene: Scene, name: str) -> bool:
    rows = await scene.sql("SELECT 1 FROM users WHERE id = :id AND suspended_at IS NULL", id=scene.world.ids[name])
    return bool(rows)


Action = Callable[[Scene, int, int, int], Awaitable[None]]
ACTIONS: dict[str, tuple[int, Action]] = {
    "follow": (6, _follow),
    "unfollow": (3, _unfollow),
    "post": (30, _post),
    "edit": (6, _edit),
    "burst": (14, _burst),
    "hide_and_show": (8, _hide_and_show),
    "delete": (5, _delete),
    "set_private": (3, _set_private),
    "answer_request": (4, _answer_request),
    "moderate": (3, _moderate),
    "lease": (12, _lease),
    "deliver": (24, _deliver),
    "deliver_twice_at_once": (4, _deliver_twice_at_once),
    "crash": (4, _crash),
    "drain": (7, _drain),
    "warm": (10, _warm),
    "read_while_it_happens": (8, _read_while_it_happens),
    "threshold": (4, _threshold),
    "cap": (4, _cap),
    "wipe": (1, _wipe),
    "evict": (3, _evict),
    "save": (3, _save),
    "restart_with_older_state": (2, _restart_with_older_state),
    "dead_builder": (2, _dead_builder),
}
"""Each action with its weight."""
