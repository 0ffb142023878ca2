"""What resolvers of random schemas answer: drawn from a seed and from where they stand, so both executors are told the same.

Mostly what the type wants; sometimes null, an exception raised or returned, an object of another type, or nonsense.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

from aiodataloader import DataLoader
from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    is_abstract_type,
    is_list_type,
    is_non_null_type,
)


class RowError(ValueError):
    """What a resolver raises."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How often, of 1,000 values, something is wrong with them."""

    null: int = 40
    raising: int = 20
    nonsense: int = 15
    awaitable_items: bool = True


class Record:
    """A value of an object type. Its attributes are drawn when they are read; `token` tells it from the others."""

    __slots__ = ("token", "values")

    type_name = ""

    def __init__(self, values: Values, token: str) -> None:
        self.values = values
        self.token = token

    def __repr__(self) -> str:
        return f"<{self.type_name} {self.token}>"


class KeepingRecord(Record):
    """One that keeps what was rendered of it."""

    __slots__ = ("rendered_json",)

    def __init__(self, values: Values, token: str) -> None:
        super().__init__(values, token)
        self.rendered_json: tuple[Any, ...] | None = None


class _Known:
    """What a loader knows: some values, drawn when they are asked for."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def get(self, key: str, default: Any = None) -> Any:
        values = self._values
        if random.Random(f"{values.seed} known {key}").randrange(2):
            return default
        try:
            return values.load_one(key)
        except Exception:
            return default


class _KnowingLoader(DataLoader[str, Any]):
    def __init__(self, values: Values) -> None:
        super().__init__(values.load_many)
        self.known = _Known(values)

    def load(self, key: str) -> asyncio.Future[Any]:
        value = self.known.get(key, self)
        if value is not self and key not in self._cache:
            self.prime(key, value)
        return super().load(key)


@dataclass(slots=True)
class Values:
    """Draws values. One a run: `batches` are the keys that its loader was asked for.

    `made`: the records by their tokens, which several runs may share.
    """

    schema: GraphQLSchema
    seed: int
    records: dict[str, type[Record]]
    habits: Habits = field(default_factory=Habits)
    batches: list[tuple[str, ...]] = field(default_factory=list)
    made: dict[tuple[str, str], Record] = field(default_factory=dict)
    has_known: bool = False
    _loader: Any = None
    _is_loading: bool = False

    @property
    def loader(self) -> DataLoader[str, Any]:
        if self._loader is None:
            self._loader = _KnowingLoader(self) if self.has_known else DataLoader(self.load_many)
        loader: DataLoader[str, Any] = self._loader
        return loader

    async def load_many(self, keys: list[str]) -> list[Any]:
        """A batch."""
        self.batches.append(tuple(keys))
        await asyncio.sleep(0)
        if random.Random(f"{self.seed} batches").randrange(50) == 0:
            raise RowError("a batch failed")
        loaded = []
        for key in keys:
            try:
                loaded.append(self.load_one(key))
            except Exception as failure:
                loaded.append(failure)
        return loaded

    def load_one(self, key: str) -> Any:
        """One value of a batch."""
        type_name, field_name, _ = key.split(" ", 2)
        self._is_loading = True
        try:
            return self.of_field(type_name, field_name, key, is_plain=True)
        finally:
            self._is_loading = False

    def record(self, type_name: str, token: str) -> Record:
        """The same one for the same token."""
        known = self.made.get((type_name, token))
        if known is None:
            known = self.made[type_name, token] = self.records[type_name](self, token)
        return known

    def of_field(self, type_name: str, field_name: str, token: str, *, is_plain: bool = False) -> Any:
        """A field's value. `is_plain`: nothing in it is awaitable."""
        parent = self.schema.type_map[type_name]
        assert isinstance(parent, GraphQLObjectType)
        drawn = random.Random(f"{self.seed} {token} {field_name}")
        return self._draw(parent.fields[field_name].type, f"{token}.{field_name}", drawn, is_plain)

    async def late(self, type_name: str, field_name: str, token: str) -> Any:
        """The same, some steps of the event loop later."""
        for _ in range(random.Random(f"{self.seed} {token} steps").randrange(3)):
            await asyncio.sleep(0)
        return self.of_field(type_name, field_name, token)

    def _draw(self, type_: GraphQLOutputType, token: str, drawn: random.Random, is_plain: bool) -> Any:
        habits = self.habits
        chance = drawn.randrange(1_000)
        if chance < habits.null:
            return None
        chance -= habits.null
        if chance < habits.raising:
            return _fail(drawn, token, is_plain)
        chance -= habits.raising
        if chance < habits.nonsense:
            return drawn.choice([object, 7, "seven", 7.5, [], {}, float("inf"), 2**40, Record(self, token), ["x"], True, ()])
        if is_non_null_type(type_):
            type_ = type_.of_type
        if is_list_type(type_):
            items = [self._item(type_.of_type, f"{token}.{index}", drawn, is_plain) for index in range(drawn.randrange(4))]
            # What was loaded may serve several fields, and an iterator serves only one.
            return drawn.choice([list, list, tuple, list if self._is_loading else iter])(items)
        if isinstance(type_, GraphQLObjectType):
            return self.record(type_.name, token)
        if is_abstract_type(type_):
            return self.record(drawn.choice(self.schema.get_possible_types(type_)).name, token)
        return _leaf(type_, drawn)

    def _item(self, type_: GraphQLOutputType, token: str, drawn: random.Random, is_plain: bool) -> Any:
        if not is_plain and self.habits.awaitable_items and drawn.randrange(20) == 0:
            return self._late_item(type_, token, drawn.randrange(2**30))
        try:
            return self._draw(type_, token, drawn, True)
        except Exception as failure:
            return failure

    def _late_item(self, type_: GraphQLOutputType, token: str, seed: int) -> Awaitable[Any]:
        async def later() -> Any:
            await asyncio.sleep(0)
            return self._draw(type_, token, random.Random(seed), True)

        return later()


def _fail(drawn: random.Random, token: str, is_plain: bool) -> Any:
    way = drawn.randrange(4)
    if way == 0:
        return RowError(f"returned at {token}")
    if way == 1:
        _raise(GraphQLError(f"refused at {token}", extensions={"code": "REFUSED"}))
    return _raise(RowError(f"raised at {token}"))


def _raise(failure: Exception) -> NoReturn:
    raise failure


def _leaf(type_: GraphQLOutputType, drawn: random.Random) -> Any:
    if isinstance(type_, GraphQLEnumType):
        wrapped: Any = type_.wrapped_cls  # type: ignore[attr-defined]
        return drawn.choice(list(wrapped))
    name = str(type_)
    if name == "Int":
        return drawn.choice([0, 1, -5, 2**31 - 1, drawn.randrange(10**6)])
    if name == "Float":
        return drawn.choice([0.5, 1e16, -2.0, 3, 1e-7])
    if name == "Boolean":
        return drawn.choice([True, False])
    if name == "DateTime":
        return datetime.fromtimestamp(drawn.randrange(2**31), UTC)
    return drawn.choice(["", "a", "naïve \u2028 “text”\n", '"quoted\\"', "🙂", 12])
