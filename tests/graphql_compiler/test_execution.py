"""Plain execution: what comes out is what graphql-core gives, byte for byte."""

from __future__ import annotations

import asyncio
import enum
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

import pytest
import strawberry
from graphql import GraphQLError

from graphql_compiler import CompiledOperations
from tests.graphql_compiler.compare import check_same
from tests.graphql_compiler.labels import label


@strawberry.enum
class Colour(enum.Enum):
    RED = 1
    GREEN = "green"
    BLUE = strawberry.enum_value("b", name="AZURE")


@dataclass
class Row:
    """A value that is no Strawberry object."""

    text: Any = "text"
    number: Any = 1
    share: Any = 0.5
    flag: Any = True
    ident: Any = "id"
    when: Any = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    colour: Any = Colour.RED
    texts: Any = ("a", "b")
    row: Any = None
    rows: Any = ()


@strawberry.type
class Thing:
    text: str
    number: int
    share: float
    flag: bool
    ident: strawberry.ID
    when: datetime
    colour: Colour
    texts: list[str]
    row: Thing | None
    rows: list[Thing]

    @strawberry.field
    def shout(self, times: int = 1, mark: str | None = "!") -> str:
        return f"{self.text.upper()}{(mark or '?') * times}"

    @strawberry.field
    async def later(self, info: strawberry.Info) -> str:
        await asyncio.sleep(0)
        return f"{self.text} at {info.path.as_list()} of {info.path.typename}"


@strawberry.type
class MaybeThing:
    text: str | None
    number: int | None
    share: float | None
    flag: bool | None
    ident: strawberry.ID | None
    when: datetime | None
    colour: Colour | None
    texts: list[str | None] | None
    row: MaybeThing | None
    rows: list[MaybeThing | None] | None


@strawberry.type
class Query:
    @strawberry.field
    def thing(root: Any) -> Thing | None:  # noqa: N805 - a resolver's parent value
        return cast("Thing", root)

    @strawberry.field
    def maybe(root: Any) -> MaybeThing | None:  # noqa: N805
        return cast("MaybeThing", root)

    @strawberry.field
    async def slow(root: Any) -> Thing:  # noqa: N805
        await asyncio.sleep(0)
        return cast("Thing", root)


SCHEMA = strawberry.Schema(query=Query)
OPERATIONS = CompiledOperations(SCHEMA, compile_at=1)
LEAVES = "text number share flag ident when colour texts"


@pytest.mark.parametrize(
    "query",
    [
        f"{{ thing {{ {LEAVES} }} }}",
        "{ thing { b: number a: number text __typename kind: __typename } again: thing { text } __typename }",
        "{ thing { rows { text rows { text later } } row { text row { text } } } }",
        '{ thing { shout twice: shout(times: 2) none: shout(mark: null) } slow { shout(mark: "…") later } }',
        "{ ...A thing { number } } fragment A on Query { thing { ...B text } } fragment B on Thing { ... { flag } text }",
        "{ thing { rows { ...on Thing { later } text } } thing { rows { number text } } }",
    ],
)
async def test_plain_values(query: str) -> None:
    inner = Row(text="in “quotes” \n\t\\ \x7f \u2028 🙂", rows=[Row(text="deep")])
    await check_same(SCHEMA, query, make_root=lambda: Row(row=inner, rows=[Row(number=2), inner]))


VALUES = [
    None, "", "12", 12, True, 2**31, -(2**31), 2**40, 1e16, 1.5, float("inf"), float("nan"), object, [], ["x", None, 3], {},
    {"a": 1}, b"x", Colour.BLUE, "green", ValueError("returned"), GraphQLError("with code", extensions={"code": "X"}),
    {"a"}, datetime(2020, 1, 1, tzinfo=UTC), (),
]  # fmt: skip


@pytest.mark.parametrize("at", ["thing", "maybe"])
@pytest.mark.parametrize("name", LEAVES.split())
async def test_every_value_for_every_type(at: str, name: str) -> None:
    query = f"{{ {at} {{ text {name} number }} }}"
    for value in VALUES:
        await check_same(SCHEMA, query, make_root=partial(Row, **{name: value}), is_strict=True, operations=OPERATIONS)
    await check_same(SCHEMA, query, make_root=lambda: Row(**{name: iter("ab")}), is_strict=True, operations=OPERATIONS)


@pytest.mark.parametrize("at", ["thing", "maybe"])
@pytest.mark.parametrize(
    "rows",
    [
        None, [], [None], [Row()], [Row(text=None)], [Row(), None, Row(number=None)], "rows", 5, {"a": 1}, [Row(rows=[None])],
        [ValueError("an item")], ValueError("the list"), [Row(rows=[Row(text=object)])], [Row(row=Row(flag=None)), Row()],
        [object()], [3],
    ],
    ids=label,
)  # fmt: skip
async def test_nulls_and_errors_in_lists(at: str, rows: Any) -> None:
    query = f"{{ {at} {{ text rows {{ text number rows {{ text }} row {{ flag }} }} number }} }}"
    await check_same(SCHEMA, query, make_root=lambda: Row(rows=rows), is_strict=True, operations=OPERATIONS)


class Raising:
    """Every attribute raises."""

    def __getattr__(self, name: str) -> Any:
        raise LookupError(f"no {name}")


@pytest.mark.parametrize("query", ["{ maybe { text number row { text } } }", "{ thing { text number } }", "{ slow { text } }"])
async def test_raising_attributes(query: str) -> None:
    await check_same(SCHEMA, query, make_root=Raising, is_strict="slow" not in query)


async def test_awaitable_attributes_and_items() -> None:
    async def later(value: Any) -> Any:
        await asyncio.sleep(0)
        if isinstance(value, Exception):
            raise value
        return value

    query = "{ maybe { text number texts row { text } rows { text number } } }"
    for failing in (None, ValueError("late")):

        def root(failing: Any = failing) -> Row:
            rows = [later(Row()), Row(text=later("x")), later(failing), None]
            return Row(
                text=later("text"), number=later(failing), texts=[later("a"), "b", later(failing)], row=later(Row()), rows=rows
            )

        await check_same(SCHEMA, query, make_root=root)


async def test_a_list_that_fails_half_way() -> None:
    def items() -> Any:
        yield Row(text=None)
        yield Row()
        raise LookupError("no more")

    for at in ("thing", "maybe"):
        await check_same(
            SCHEMA,
            f"{{ {at} {{ rows {{ text }} }} }}",
            make_root=lambda: Row(rows=items()),
            is_strict=True,
            operations=OPERATIONS,
        )


async def test_asynchronous_lists() -> None:
    async def items(*, fails: bool) -> Any:
        yield Row()
        await asyncio.sleep(0)
        yield Row(text="second")
        if fails:
            raise LookupError("no more")

    def make_rows(fails: bool) -> Row:
        return Row(rows=items(fails=fails))

    for fails in (False, True):
        await check_same(SCHEMA, "{ maybe { rows { text } } }", make_root=partial(make_rows, fails))


async def test_deep_operations_are_split() -> None:
    def nest(depth: int) -> str:
        return "text" if depth == 0 else f"text rows {{ {nest(depth - 1)} }} row {{ {nest(depth - 1)} }}"

    row = Row(text="end")
    for _ in range(6):
        row = Row(rows=[row], row=row)
    await check_same(
        SCHEMA,
        f"{{ thing {{ {nest(6)} }} maybe {{ {nest(5)} }} }}",
        make_root=lambda: row,
        is_strict=True,
        operations=OPERATIONS,
    )
    wide = " ".join(f"a{number}: rows {{ " for number in range(14)) + "text" + " }" * 14
    await check_same(SCHEMA, f"{{ maybe {{ {wide} }} }}", make_root=lambda: row, is_strict=True, operations=OPERATIONS)


async def test_the_root_may_be_null() -> None:
    answer = await check_same(SCHEMA, "{ slow { text } }", make_root=lambda: None)
    assert answer.data is None
    assert answer.errors[0].path == ["slow"]
