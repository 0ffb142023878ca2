"""One database with the cast on it, everybody who looks, and the way back to how it was."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

import asyncpg

from app.authentication.errors import AuthenticationError
from app.web_state import WebState
from bootstrap import open_backends
from cache.client import RedisClient
from db.database import asyncpg_url
from domain.ids import to_global_id
from settings import Settings
from tests.app.web.running_server import run_web
from tests.matrix.arguments import Stock
from tests.matrix.asking import ABSTRACT, SELECTIONS, Asker, Depths
from tests.matrix.cast import ANONYMOUS, COMMON_WORD, VIEWERS, Cast
from tests.matrix.findings import Reading, Tally
from tests.matrix.oracle import Oracle
from tests.matrix.truth import Secret, Truth, load_truth
from tests.world import World

ABSENT_NUMBER = 4_242
_WORDS = 6
"""Secrets whose own words a viewer searches for at one look; other ones the next time."""
_KEPT = "kept_by_the_matrix"
_TABLES = """
    SELECT c.relname AS name, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname NOT IN ('alembic_version', 'deployment')
    GROUP BY 1 ORDER BY 1
"""


@dataclass
class Stage:
    """`posts`: those of the cast, by name. `cursors`: what viewers were given at their last look, by viewer."""

    settings: Settings
    direct: asyncpg.Connection
    world: World
    posts: dict[str, int]
    tables: dict[str, str]
    ids: dict[str, Secret] = field(default_factory=dict)
    marks: dict[str, Secret] = field(default_factory=dict)
    cursors: dict[str, dict[str, str]] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    _looks: int = 0
    web: WebState | None = None
    """The web process, while the world is as it was."""

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncIterator[Self]:
        """Makes the world and remembers it."""
        direct = await asyncpg.connect(asyncpg_url(settings.database_url.get_secret_value()), timeout=10, command_timeout=30)
        try:
            async with open_backends(settings) as backends:
                world = World(backends)
                cast = Cast(world, direct)
                await cast.make()
                tables = {row["name"]: row["columns"] for row in await direct.fetch(_TABLES)}
                stage = cls(settings, direct, world, cast.posts, tables)
                await stage._keep()
                yield stage
        finally:
            await direct.close(timeout=5)

    async def _keep(self) -> None:
        parts = [f"CREATE TABLE {_KEPT}.{name} AS SELECT {columns} FROM public.{name}" for name, columns in self.tables.items()]
        await self.direct.execute("; ".join([f"CREATE SCHEMA {_KEPT}", *parts]))

    @asynccontextmanager
    async def as_it_was(self) -> AsyncIterator[None]:
        """The kept world with an empty cache, and backends that remember nothing of any other."""
        parts = [f"DELETE FROM {name}" for name in self.tables]
        parts += [
            f"INSERT INTO public.{name} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {_KEPT}.{name}"
            for name, columns in self.tables.items()
        ]
        async with self.direct.transaction():
            await self.direct.execute("SET LOCAL session_replication_role = replica; " + "; ".join(parts))
        await self._empty_cache()
        self.cursors.clear()
        self.ids.clear()
        self.marks.clear()
        async with run_web(self.settings) as running:
            self.web, self.world.backends = running.state, running.state.backends
            try:
                yield
            finally:
                self.web = None

    async def _empty_cache(self) -> None:
        client = RedisClient(self.settings.redis_url.get_secret_value(), timeout_seconds=5.0)
        try:
            await client.redis.flushdb()
        finally:
            await client.close()

    async def truth(self) -> Truth:
        """The facts of now. Whatever has ever been there stays known."""
        found = await load_truth(self.direct)
        self.ids.update((to_global_id(*secret), secret) for secret in found.secrets())
        self.marks.update(found.marks)
        self.words = [COMMON_WORD, *sorted(found.marks)]
        return found

    async def asker(self, name: str) -> Asker:
        assert self.web is not None, "the world is as it was"
        return await Asker.of(self.web, None if name == ANONYMOUS else name)

    async def do(self, name: str, call: str) -> None:
        """A mutation by somebody, which succeeds."""
        answer = await (await self.asker(name)).ask(f"mutation {{ done: {call} {{ userErrors {{ code message }} }} }}")
        assert answer == {"data": {"done": {"userErrors": []}}}, (call, answer)

    def stock(self, truth: Truth, viewer: str, words: Sequence[str]) -> Stock:
        return Stock(
            ids={
                kind: [to_global_id(kind, number) for number in (*numbers, ABSENT_NUMBER)]
                for kind, numbers in truth.numbers().items()
            },
            usernames=[*(one.username for one in truth.accounts.values()), "nobody_at_all"],
            hashtags=[*truth.hashtags.values(), "never_used"],
            words=words,
            cursors=self.cursors.get(viewer, {}),
        )

    def reading(
        self, truth: Truth, viewer: str, viewer_id: int | None, moment: str, *, also_seen: frozenset[Secret] | None = None
    ) -> Reading:
        return Reading(
            Oracle(truth, viewer_id),
            viewer=viewer,
            moment=moment,
            ids=self.ids,
            marks=self.marks,
            abstract=ABSTRACT,
            also_seen=also_seen,
        )

    async def look(self, moment: str, depths: Depths, viewers: Sequence[str] = VIEWERS, only: Sequence[str] = ()) -> Tally:
        """Everybody reads everything."""
        truth = await self.truth()
        total = Tally()
        for name in viewers:
            asker = await self.asker(name)
            try:
                viewer_id = await asker.viewer_id()
            except AuthenticationError:
                continue  # suspended by now: no token of theirs is taken
            reading = self.reading(truth, name, viewer_id, moment)
            await asker.read_everything(reading, self.stock(truth, name, self._some_words()), depths, only)
            self._check_what_is_seen(reading, only)
            total.add(reading.close())
            self.cursors[name] = reading.cursors
        return total

    def _some_words(self) -> list[str]:
        """What is common, and the words of a few others each time."""
        self._looks += 1
        marks = self.words[1:]
        step = max(1, len(marks) // _WORDS)
        return [COMMON_WORD, *(marks[(self._looks + place * step) % len(marks)] for place in range(_WORDS))]

    def _check_what_is_seen(self, reading: Reading, only: Sequence[str]) -> None:
        """What is visible is found by its id: a matrix of empty answers proves nothing."""
        for place, kinds in (("Query.post", {"Post"}), ("Query.node", {"Post", "User", "Comment", "Media", "Notification"})):
            if only and place.removeprefix("Query.") not in only:
                continue
            found = {secret for where, secrets in reading.found.items() if where.split("(")[0] == place for secret in secrets}
            for secret in self.ids.values():
                if secret[0] in kinds & set(SELECTIONS.things()) and reading.sees(secret) and secret not in found:
                    reading.leak(place, f"{secret[0]} {secret[1]} is not found")
