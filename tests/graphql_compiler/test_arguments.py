"""Arguments, variables and conditions."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import pytest
import strawberry

from graphql_compiler import CompiledOperations
from tests.graphql_compiler.compare import check_same


@strawberry.enum
class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


@strawberry.input
class Inner:
    numbers: list[int] = strawberry.field(default_factory=lambda: [1, 2])
    size: Size | None = Size.LARGE


@strawberry.input
class Outer:
    name: str
    inner: Inner | None = strawberry.UNSET
    many: list[Inner | None] | None = None
    when: datetime | None = None
    note: strawberry.Maybe[str | None]


@strawberry.input(one_of=True)
class Choice:
    by_id: strawberry.ID | None = strawberry.UNSET
    by_name: str | None = strawberry.UNSET


def _told(*values: Any) -> str:
    return " | ".join(repr(value) for value in values)


@strawberry.type
class Query:
    @strawberry.field
    def scalars(
        self,
        a: int,
        b: str = "b",
        c: float | None = 2.5,
        d: bool | None = strawberry.UNSET,
        e: strawberry.ID | None = None,
        f: Size = Size.SMALL,
        some_name: int | None = strawberry.UNSET,
    ) -> str:
        return _told(a, b, c, d, e, f, some_name)

    @strawberry.field
    async def objects(self, outer: Outer | None = None, outers: list[Outer] | None = strawberry.UNSET) -> str:
        return _told(outer, outers)

    @strawberry.field
    def lists(self, a: list[int] | None = None, b: list[list[Size | None]] = strawberry.UNSET) -> str:
        return _told(a, b)

    @strawberry.field
    def choice(self, it: Choice) -> str:
        return _told(it)

    @strawberry.field
    def when(self, at: datetime, info: strawberry.Info) -> str:
        return _told(
            at, info.variable_values, info.field_name, info.python_name, info.get_argument_definition("at") is not None
        )

    @strawberry.field
    def selected(self, info: strawberry.Info) -> list[str]:
        return [each.name for each in info.selected_fields]  # type: ignore[union-attr]

    @strawberry.field
    def it(self) -> Query:
        return self


SCHEMA = strawberry.Schema(query=Query)
OPERATIONS = CompiledOperations(SCHEMA, compile_at=1)
VALUES: list[Any] = [
    None, 1, 1.5, "x", "2026-01-01T00:00:00Z", True, [], [1], [1, None], [["SMALL", None]], "SMALL", {"name": "n"}, 2**31,
    {"name": "n", "inner": {"numbers": [3], "size": None}, "many": [None, {}], "note": None}, {"name": 1}, {"wrong": 2},
    {"byId": "1"}, {"byName": None}, {"byId": "1", "byName": "x"}, [{"name": "a"}, {"name": "b", "note": "c"}], {}, b"bytes",
]  # fmt: skip


@pytest.mark.parametrize(
    "field",
    [
        "scalars(a: 1)",
        'scalars(a: -3, b: "é", c: 1, d: true, e: 5, f: LARGE, someName: 7)',
        "scalars(a: 0, c: null, d: null, e: null, someName: null)",
        'objects(outer: {name: "n"})',
        'objects(outer: {name: "n", inner: {}, many: [{numbers: 1}, null], when: "2026-01-01T00:00Z", note: "x"}, outers: [])',
        "objects",
        "lists(a: 1, b: [[SMALL, null], []])",
        "lists(a: [1, 2], b: SMALL)",
        'choice(it: {byId: "1"})',
        'when(at: "2026-01-01T00:00:00+02:00")',
        "selected",
        "it { it { scalars(a: 4) selected } }",
    ],
)
async def test_literals(field: str) -> None:
    await check_same(SCHEMA, f"{{ {field} }}", make_root=Query, operations=OPERATIONS)


@pytest.mark.parametrize(
    ("type_", "field"),
    [
        ("Int!", "scalars(a: $v)"),
        ("Int", "scalars(a: 1, someName: $v)"),
        ("Int = 5", "scalars(a: $v, someName: $v)"),
        ("Int = null", "scalars(a: 1, someName: $v)"),
        ("String", 'scalars(a: 1, e: "x") scalars2: scalars(a: 2)'),
        ('String! = "def"', "scalars(a: 1, b: $v)"),
        ("String", "scalars(a: 1, b: $v)"),
        ("Float", "scalars(a: 1, c: $v)"),
        ("Boolean", "scalars(a: 1, d: $v)"),
        ("ID", "scalars(a: 1, e: $v)"),
        ("Size = LARGE", "scalars(a: 1, f: $v)"),
        ("Size", "scalars(a: 1, f: $v)"),
        ("Outer", "objects(outer: $v)"),
        ("[Outer!]", "objects(outers: $v)"),
        ("[Int!] = [4]", 'lists(a: $v) objects(outer: {name: "n", inner: {numbers: $v}})'),
        ("Int", 'lists(a: [1, 2]) it { objects(outer: {name: "n", many: [{size: SMALL}]}) }'),
        ("String", 'objects(outer: {name: "n", note: $v})'),
        ("Choice!", "choice(it: $v)"),
        ("DateTime!", "when(at: $v)"),
        ("[[Size]!]!", "lists(b: $v)"),
    ],
)
async def test_variables(type_: str, field: str) -> None:
    uses = "" if "$v" in field else " again: scalars(a: 9, someName: $w)"
    query = f"query Q($v: {type_}{', $w: Int' if uses else ''}) {{ {field}{uses} }}"
    await check_same(SCHEMA, query, make_root=Query, operations=OPERATIONS)
    for value in VALUES:
        for variables in ({"v": value}, {"v": value, "unknown": 1}):
            await check_same(SCHEMA, query, make_root=Query, variables=variables, operations=OPERATIONS, is_strict=True)


CONDITIONS = """
query ($a: Boolean!, $b: Boolean! = false) {
  x: scalars(a: 1) @skip(if: $a)
  it { ...F @include(if: $a) ...F @skip(if: $b) first: scalars(a: 2) }
  ... @include(if: $b) { x: scalars(a: 1) it { it { last: scalars(a: 3) } } }
  y: scalars(a: 5) @include(if: true) @skip(if: $b)
  z: scalars(a: 6) @skip(if: true)
}
fragment F on Query { it { first: scalars(a: 2) @skip(if: $a) second: scalars(a: 4) } }
"""


async def test_conditions() -> None:
    for a in (True, False):
        for b in (True, False, ...):
            variables = {"a": a} if b is ... else {"a": a, "b": b}
            for _ in range(3):
                operations = CompiledOperations(SCHEMA, compile_at=1)
                await check_same(
                    SCHEMA, CONDITIONS, make_root=Query, variables=variables, operations=operations, is_strict=True
                )
    for wrong in ({}, {"a": None}, {"a": "yes"}, {"a": True, "b": None}, {"a": 1}):
        await check_same(SCHEMA, CONDITIONS, make_root=Query, variables=wrong, operations=OPERATIONS, is_strict=True)


@strawberry.type
class Spoiler:
    @strawberry.field
    def spoil(self, numbers: list[int], inner: Inner) -> int:
        numbers.append(7)
        inner.numbers.append(8)
        return len(numbers) + len(inner.numbers)

    @strawberry.field
    def three(self) -> list[Spoiler]:
        return [Spoiler(), Spoiler(), Spoiler()]


async def test_inputs_are_made_anew_for_each_call() -> None:
    schema = strawberry.Schema(query=Spoiler)
    literal = "{ three { spoil(numbers: [1], inner: {numbers: 5}) } }"
    await check_same(schema, literal, make_root=Spoiler)
    query = "query ($n: [Int!]!) { three { spoil(numbers: $n, inner: {}) } }"
    await check_same(schema, query, make_root=Spoiler, variables={"n": [1]})
