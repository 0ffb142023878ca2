"""The small world of one random walk: people, posts, what workers have in their hands, cursors that readers keep."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Self

import asyncpg

from cache import timelines as timelines_module
from db.database import asyncpg_url
from domain.ids import DAY_MS
from services.backends import Backends
from services.fan_out import audiences as audiences_module
from services.fan_out import deliver_event as deliver_module
from tests.world import World

SMALL_CAP = 3
SMALL_SLACK = 1
TAGS = ("red", "blue")
WORDS = ("apple", "pear", "plum")
_KEPT_CURSORS = 30
_TABLES = [
    "outbox",
    "searchable_posts",
    "searchable_accounts",
    "posts",
    "follows",
    "follow_requests",
    "kept_follows",
    "blocks",
    "mutes",
    "post_hashtags",
    "hashtag_follows",
    "hashtags",
    "feed_positions",
    "users",
]
_TRUNCATE_EVERY = 40
"""Walks between two real emptyings; in between rows are deleted, which is ten times as fast for so few."""

# Ids of posts take their time from here, where a walk has set it: so posts of other days are made by the use cases themselves.
_CLOCK = """
CREATE TABLE IF NOT EXISTS walk_clock (fixed_ms bigint);
INSERT INTO walk_clock SELECT NULL WHERE NOT EXISTS (SELECT FROM walk_clock);
CREATE OR REPLACE FUNCTION next_id(shard bigint) RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE AS $$
  SELECT (coalesce((SELECT fixed_ms FROM walk_clock), floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) << 22)
       | (nextval('id_sequence') << 10)
       | (shard & 1023)
$$;
"""
_PEOPLE = """
INSERT INTO users (id, external_id, username, display_name)
SELECT $1 + place, name, name, name FROM unnest($2::text[]) WITH ORDINALITY AS people (name, place)
"""
_FOLLOWS = (
    "INSERT INTO follows (follower_id, followee_id) SELECT * FROM unnest($1::bigint[], $2::bigint[]) ON CONFLICT DO NOTHING"
)
_COUNTS = """
UPDATE users SET follower_count = (SELECT count(*) FROM follows WHERE followee_id = users.id),
  following_count = (SELECT count(*) FROM follows WHERE follower_id = users.id)
"""


class _ChosenRun:
    """Stands for the server's run in the client, so that a restart can be played without one."""

    def __init__(self, run_id: str) -> None:
        self.id = run_id


@dataclass
class Ground:
    """Servers on which one walk after the other is taken; `direct` is for what no use case does."""

    backends: Backends
    direct: asyncpg.Connection
    walks: int = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, backends: Backends) -> AsyncIterator[Self]:
        """Makes the database one for walks; nothing else may use it, nor the Redis server, from now on."""
        direct = await asyncpg.connect(asyncpg_url(backends.database.url), timeout=10, command_timeout=30)
        try:
            # Planning costs more than running a statement over so few rows.
            await direct.execute(
                "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET plan_cache_mode = force_generic_plan', current_database());"
                " END $$"
            )
            await direct.execute("SET plan_cache_mode = force_generic_plan")
            await direct.execute(_CLOCK)
            await backends.database.engine.dispose()  # so that every connection has the setting
            yield cls(backends, direct)
        finally:
            await direct.close(timeout=5)

    async def clear(self) -> None:
        """Empty tables and an empty cache."""
        if self.walks % _TRUNCATE_EVERY == 0:
            await self.direct.execute(f"TRUNCATE {', '.join(_TABLES)}")
        statements = [f"DELETE FROM {table}" for table in _TABLES]
        await self.direct.execute(
            "; ".join([*statements, "UPDATE walk_clock SET fixed_ms = NULL", "SELECT setval('id_sequence', 0)"])
        )
        await self.backends.redis.redis.flushdb()
        self.walks += 1


@dataclass(frozen=True, slots=True)
class Mark:
    """A cursor once given out: the id behind which it goes on, and what its walk leaves out (None: no walk yet)."""

    cursor: str
    id: int
    floor: int | None


@dataclass
class Scene:
    """The world of one walk and what the workers have in their hands."""

    ground: Ground
    world: World
    names: list[str]
    window_days: int
    anchor_ms: int
    """The beginning of yesterday."""
    posts: list[tuple[str, int]] = field(default_factory=list)
    """(author, id) of everything that was published, shares too; deleted ones leave."""
    messages: list[tuple[int, int]] = field(default_factory=list)
    """(event, attempt) on the queue: may be stale, may come twice."""
    marks: dict[int, list[Mark]] = field(default_factory=dict)
    positions: dict[int, int] = field(default_factory=dict)
    """How far people have read, as they were told last."""
    saved_keys: dict[bytes, bytes] = field(default_factory=dict)
    runs: int = 0
    had_races: bool = False
    """Whether a worker was at it while follows changed: it may have served who had just left. Readers filter that."""
    _slack: int = timelines_module.TRIM_SLACK
    _job_seconds: float = deliver_module.JOB_SECONDS
    _worth_from: int = audiences_module.WORTH_FROM
    _load_chunk: int = audiences_module.LOAD_CHUNK

    @classmethod
    async def open(cls, ground: Ground, *, people: int, follows: Sequence[tuple[int, int]], window_days: int) -> Self:
        """`follows`: pairs of numbers of people, taken modulo how many there are."""
        backends = ground.backends
        policy = replace(
            backends.policy,
            celebrity_threshold=4,
            fanout_batch=2,
            fanout_cache_batch=1,
            repeat_window=timedelta(days=window_days),
        )
        backends = replace(backends, policy=policy)
        backends.timelines.cap = backends.pulled_posts.cap = SMALL_CAP
        backends.redis._run = _ChosenRun("run0")  # type: ignore[assignment]
        await ground.clear()
        names = [f"p{number}" for number in range(people)]
        first = 1_000 * ground.walks  # nothing that a process remembers of an earlier walk is about these
        await ground.direct.execute(_PEOPLE, first, names)
        world = World(backends, {name: first + place for place, name in enumerate(names, start=1)})
        now_ms = await ground.direct.fetchval("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint")
        scene = cls(ground, world, names, window_days, (now_ms // DAY_MS - 1) * DAY_MS)
        if follows:
            pairs = [tuple(world.ids[name] for name in scene.two(*pair)) for pair in follows]
            await ground.direct.execute(_FOLLOWS, [pair[0] for pair in pairs], [pair[1] for pair in pairs])
            await ground.direct.execute(_COUNTS)
        timelines_module.TRIM_SLACK = SMALL_SLACK
        deliver_module.JOB_SECONDS = 0.0
        audiences_module.WORTH_FROM, audiences_module.LOAD_CHUNK = 0, 2
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

    def id(self, number: int) -> int:
        return self.world.ids[self.name(number)]

    def two(self, a: int, b: int) -> tuple[str, str]:
        """Two different people."""
        first = a % len(self.names)
        return self.names[first], self.names[(first + 1 + b % (len(self.names) - 1)) % len(self.names)]

    def two_ids(self, a: int, b: int) -> tuple[int, int]:
        one, other = self.two(a, b)
        return self.world.ids[one], self.world.ids[other]

    async def follow_edge(self, a: int, b: int) -> tuple[int, int]:
        """(follower, followee) of one of the follows there are; of two people where there are none."""
        edges = await self.sql("SELECT follower_id, followee_id FROM follows ORDER BY 1, 2")
        return tuple(edges[a % len(edges)]) if edges else self.two_ids(a, b)

    def recent(self, number: int) -> tuple[str, int] | None:
        """One of the newest posts: they are the more interesting ones."""
        return self.posts[-1 - number % min(len(self.posts), 8)] if self.posts else None

    async def sql(self, statement: str, *arguments: object) -> list[Any]:
        """Beside the use cases. Parameters are $1, $2, …"""
        rows: list[Any] = await self.ground.direct.fetch(statement, *arguments)
        return rows

    async def is_awake(self, viewer_id: int) -> bool:
        """Whether the account can read its feed."""
        return bool(await self.sql("SELECT 1 FROM users WHERE id = $1 AND suspended_at IS NULL", viewer_id))

    @asynccontextmanager
    async def at(self, number: int) -> AsyncIterator[None]:
        """Ids made within come from an instant that the number chooses: now, or on a day around the repeat window.

        Few instants, so that some meet, and others lie exactly a window, or a window and a millisecond, apart.
        """
        if number % 3:
            yield
            return
        number //= 3
        days, offset = number % (self.window_days + 2), number // (self.window_days + 2) % 4
        fixed = self.anchor_ms - days * DAY_MS + (0, 1, DAY_MS - 1, DAY_MS // 2)[offset]
        await self.sql("UPDATE walk_clock SET fixed_ms = $1", fixed)
        try:
            yield
        finally:
            await self.sql("UPDATE walk_clock SET fixed_ms = NULL")

    def remember(self, viewer_id: int, marks: Sequence[Mark]) -> None:
        known = self.marks.setdefault(viewer_id, [])
        known += marks
        del known[:-_KEPT_CURSORS]
