"""Interfaces and unions: which type a value has, and what is said where it has none."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import pytest
import strawberry

from tests.graphql_compiler.compare import check_same
from tests.graphql_compiler.labels import label


@dataclass(frozen=True, slots=True)
class CatRow:
    name: str = "Tom"
    lives: int = 9


@dataclass(frozen=True, slots=True)
class DogRow:
    name: str = "Rex"
    barks: bool = True


@dataclass
class MouseRow:
    name: str = "Ann"


def _recognises(graphql_type: Any, row: type, *, by_class: bool) -> None:
    def is_type_of(value: Any, _info: Any) -> bool:
        return isinstance(value, row)

    is_type_of.by_class = by_class  # type: ignore[attr-defined]
    graphql_type.__strawberry_definition__.is_type_of = is_type_of


def make_schema(*, by_class: bool) -> strawberry.Schema:
    @strawberry.interface
    class Pet:
        name: str

    @strawberry.type
    class Cat(Pet):
        lives: int

    @strawberry.type
    class Dog(Pet):
        barks: bool

        @strawberry.field
        async def owner(self) -> str | None:
            return f"owner of {self.name}"

    @strawberry.type
    class Mouse:
        name: str

    for each, row in ((Cat, CatRow), (Dog, DogRow), (Mouse, MouseRow)):
        _recognises(each, row, by_class=by_class)
    something = Annotated[Cat | Dog | Mouse, strawberry.union("Something")]

    @strawberry.type
    class Query:
        pet = strawberry.field(resolver=lambda root: root["pet"], graphql_type=Pet | None)
        pets = strawberry.field(resolver=lambda root: root["pets"], graphql_type=list[Pet | None])
        some = strawberry.field(resolver=lambda root: root["some"], graphql_type=list[something | None])
        cat = strawberry.field(resolver=lambda root: root["cat"], graphql_type=Cat | None)

    return strawberry.Schema(query=Query, types=[Cat, Dog, Mouse])


SCHEMAS = {by_class: make_schema(by_class=by_class) for by_class in (True, False)}
QUERY = """
{ pet { name ... on Dog { barks owner } ...C } pets { __typename name ... on Cat { lives } }
  some { ... on Cat { lives name } ... on Dog { name owner } ... on Mouse { name } ... on Pet { name kind: __typename } }
  cat { lives ... on Pet { name } } }
fragment C on Cat { n: name lives }
"""


@pytest.mark.parametrize("by_class", [True, False])
@pytest.mark.parametrize(
    "rows",
    [
        [CatRow(), DogRow(), None],
        [MouseRow(), CatRow(), DogRow()],
        [object(), {"name": "dict"}, ValueError("an item"), CatRow(lives=object())],  # type: ignore[arg-type]
        [CatRow(name=None), DogRow(name=None)],  # type: ignore[arg-type]
        [],
    ],
    ids=label,
)
async def test_records(by_class: bool, rows: list[Any]) -> None:
    for first in (*rows[:2], None):
        root = {"pet": first, "pets": rows, "some": rows, "cat": first}
        await check_same(SCHEMAS[by_class], QUERY, make_root=partial(dict, root))


@strawberry.interface
class Shape:
    name: str

    @strawberry.field
    def upper(self) -> str:
        return self.name.upper()


@strawberry.type
class Circle(Shape):
    radius: float


@strawberry.type
class Square(Shape):
    side: float


class Round:
    name = "cast"
    radius = 3


@strawberry.type
class ShapeQuery:
    @strawberry.field
    def shapes(self) -> list[Shape]:
        cast: Any = strawberry.cast(Circle, Round())
        return [Circle(name="c", radius=1.5), Square(name="s", side=2), cast, Circle(name="d", radius=2)]

    @strawberry.field
    def wrong(self) -> list[Shape | None]:
        return [Round(), Circle(name="c", radius=1)]  # type: ignore[list-item]

    @strawberry.field
    def either(self) -> list[Annotated[Circle | Square, strawberry.union("Either")] | None]:
        return [Square(name="s", side=2), Round(), Circle(name="c", radius=1)]  # type: ignore[list-item]


async def test_strawberry_objects() -> None:
    schema = strawberry.Schema(query=ShapeQuery, types=[Circle, Square])
    fields = "{ __typename ... on Shape { name upper } ... on Circle { radius } ... on Square { side } }"
    await check_same(schema, f"{{ shapes {fields} wrong {fields} either {fields} }}", is_strict=True)
