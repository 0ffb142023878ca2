"""One database with the cast on it, everybody who looks, and the way back to how it was."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

import asyncpg

from bootstrap import open_backends
from db.database import asyncpg_url
from domain.ids import to_global_id
from domain.records import UserRecord
from services.accounts.find_people import load_visible_users
from services.backends import Backends
from settings import Settings
from tests.matrix.arguments import Stock
from tests.matrix.asking import ABSTRACT, Asker, Depths
from tests.matrix.cast import ANONYMOUS, COMMON_WORD, VIEWERS, Cast
from tests.matrix.findings import Reading, Tally
from tests.matrix.oracle import Oracle
from tests.matrix.truth import Secret, Truth, load_truth
from tests.world import World

ABSENT_NUMBER = 4_242
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
    backends: Backends
    world: World
    posts: dict[str, int]
    tables: dict[str, str]
    ids: dict[str, Secret] = field(default_factory=dict)
    marks: dict[str, Secret] = field(default_factory=dict)
    cursors: dict[str, dict[str, str]] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)

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
                stage = cls(settings, direct, backends, world, cast.posts, tables)
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
        kept = self.backends
        async with open_backends(self.settings) as fresh:
            await fresh.redis.redis.flushdb()
            self.backends = self.world.backends = fresh
            self.cursors.clear()
            self.ids.clear()
            self.marks.clear()
            try:
                yield
            finally:
                self.backends = self.world.backends = kept

    async def truth(self) -> Truth:
        """The facts of now. Whatever has ever been there stays known."""
        found = await load_truth(self.direct)
        self.ids.update((to_global_id(*secret), secret) for secret in found.secrets())
        self.marks.update(found.marks)
        self.words = [COMMON_WORD, *sorted(found.marks)]
        return found

    async def viewer(self, name: str) -> UserRecord | None:
        """The account as the web process recognises it."""
        if name == ANONYMOUS:
            return None
        number = self.world.ids[name]
        return (await load_visible_users(self.backends, [number], viewer_id=number)).get(number)

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

    def reading(self, truth: Truth, viewer: str, record: UserRecord | None, moment: str) -> Reading:
        oracle = Oracle(truth, record.id if record is not None else None)
        return Reading(oracle, viewer=viewer, moment=moment, ids=self.ids, marks=self.marks, abstract=ABSTRACT)

    async def look(self, moment: str, depths: Depths, viewers: Sequence[str] = VIEWERS, only: Sequence[str] = ()) -> Tally:
        """Everybody reads everything."""
        truth = await self.truth()
        total = Tally()
        for name in viewers:
            record = await self.viewer(name)
            if record is None and name != ANONYMOUS:
                continue  # suspended by now: no token of theirs is taken
            reading = self.reading(truth, name, record, moment)
            asker = Asker(self.backends, record)
            await asker.read_everything(reading, self.stock(truth, name, self.words), depths, only)
            self._check_what_is_seen(reading)
            total.add(reading.close())
            self.cursors[name] = reading.cursors
        return total

    def _check_what_is_seen(self, reading: Reading) -> None:
        """What is visible is found by its id: a matrix of empty answers proves nothing."""
        for place, kinds in (("Query.post", {"Post"}), ("Query.node", {"Post", "User", "Comment", "Media", "Notification"})):
            found = {secret for where, secrets in reading.found.items() if where.split("(")[0] == place for secret in secrets}
            for secret in self.ids.values():
                if secret[0] in kinds and reading.sees(secret) and secret not in found and _is_served(secret[0]):
                    reading.leak(place, f"{secret[0]} {secret[1]} is not found")


def _is_served(kind: str) -> bool:
    """Whether the schema has such things."""
    from tests.matrix.asking import SELECTIONS

    return kind in SELECTIONS.things()
