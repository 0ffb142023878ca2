"""What is rendered of a record stays with it, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import strawberry
from graphql import parse
from orjson import Fragment

from graphql_compiler import CompiledOperations, plain
from graphql_compiler.rendering import MAX_KEPT
from tests.graphql_compiler.compare import check_same, find_operation
from tests.graphql_compiler.kept import kept_parts, kept_tuples


@dataclass(frozen=True, slots=True)
class PlaceRecord:
    name: str


@dataclass(frozen=True, slots=True)
class ThingRecord:
    number: int = 1
    text: str = 'a "thing" – naïve 🙂'
    size: float | None = 0.5
    place: PlaceRecord | None = PlaceRecord("here")
    marks: tuple[str, ...] = ("x", "y")
    rendered_json: tuple[Any, ...] | None = field(default=None, init=False, repr=False, compare=False)


reads: list[int] = []


def _name(root: ThingRecord) -> str:
    reads.append(root.number)
    return f"thing {root.number}"


_name.is_stable = True  # type: ignore[attr-defined]


def _seen_by(root: ThingRecord, info: strawberry.Info[str, None]) -> str:
    return info.context


@strawberry.type
class Place:
    name: str


@strawberry.type
class Thing:
    number: int
    text: str
    size: float | None
    place: Place | None
    marks: list[str]
    name = strawberry.field(resolver=_name, graphql_type=str)
    seen_by = strawberry.field(resolver=_seen_by, graphql_type=str)


@strawberry.type
class Query:
    things: list[Thing]
    thing: Thing | None


@dataclass
class Root:
    things: list[ThingRecord]

    @property
    def thing(self) -> ThingRecord:
        return self.things[0]


schema = strawberry.Schema(query=Query)
MIXED = "{ things { __typename number text seenBy place { name } marks size name } }"
WHOLE = "{ thing { n: number name place { name } __typename } }"


class Plan:
    """One operation, executed again and again."""

    def __init__(self, query: str, operations: CompiledOperations | None = None) -> None:
        self._query, self._document = query, parse(query)
        self._operations = operations or CompiledOperations(schema, compile_at=1)

    async def tree(self, *things: ThingRecord, context: str = "ada") -> Any:
        ready = self._operations.find(self._query, self._document, find_operation(self._document))
        assert ready is not None
        result = await ready.execute(Root(list(things)), context)
        assert result is not None
        return result.tree


def spliced(tree: Any) -> int:
    """How many rendered parts stand in it."""
    if isinstance(tree, Fragment):
        return 1
    below = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return sum(spliced(each) for each in below)


@pytest.mark.parametrize(("query", "parts"), [(MIXED, 2), (WHOLE, 1)])
async def test_from_the_third_use_on_a_record_is_not_read(query: str, parts: int) -> None:
    thing, plan = ThingRecord(), Plan(query)
    reads.clear()
    trees = [await plan.tree(thing) for _ in range(4)]
    assert [spliced(tree) for tree in trees] == [0, 0, parts, parts]
    assert len(reads) == 2
    assert plain(trees[3]) == trees[0]
    assert list(plain(trees[3])[next(iter(trees[0]))]) == list(trees[0][next(iter(trees[0]))]), "in the order of the document"


async def test_the_same_as_graphql_core_in_every_round() -> None:
    things = [ThingRecord(1), ThingRecord(2, size=None, place=None), ThingRecord(3, text="", marks=())]
    for query in (MIXED, WHOLE, "{ things { text number name ...F } } fragment F on Thing { seenBy number size }"):
        operations = CompiledOperations(schema, compile_at=1)
        await check_same(
            schema,
            query,
            make_root=lambda: Root(things),
            make_context=lambda: "bob",
            is_strict=True,
            operations=operations,
            rounds=4,
        )


async def test_what_hangs_on_the_viewer_is_asked_each_time() -> None:
    thing, plan = ThingRecord(), Plan(MIXED)
    for viewer in ("ada", "bob", "cat", "dan"):
        tree = plain(await plan.tree(thing, context=viewer))
        assert [each["seenBy"] for each in tree["things"]] == [viewer]


async def test_another_record_is_another_rendering() -> None:
    thing, plan = ThingRecord(), Plan(WHOLE)
    for _ in range(3):
        await plan.tree(thing)
    changed = replace(thing, number=7)
    assert (changed.rendered_json, changed) == (None, replace(thing, number=7))
    assert plain(await plan.tree(changed))["thing"] == {
        "n": 7,
        "name": "thing 7",
        "place": {"name": "here"},
        "__typename": "Thing",
    }


async def test_a_record_keeps_a_few() -> None:
    thing = ThingRecord()
    plans = [Plan(f"{{ thing {{ a{number}: name text number }} }}") for number in range(MAX_KEPT + 3)]
    for plan in plans:
        for _ in range(3):
            await plan.tree(thing)
        assert 0 < len(kept_tuples(thing)) <= MAX_KEPT
        assert len(kept_parts(thing)) <= MAX_KEPT
    for plan in plans:
        assert plain(await plan.tree(thing)) == await plan.tree(ThingRecord())


@pytest.mark.parametrize(
    "make",
    [
        lambda: ThingRecord(size=float("nan")),
        lambda: ThingRecord(text=object()),  # type: ignore[arg-type]
        lambda: ThingRecord(text=None),  # type: ignore[arg-type]
        lambda: ThingRecord(marks=("x", None)),  # type: ignore[arg-type]
        lambda: ThingRecord(place=PlaceRecord(None)),  # type: ignore[arg-type]
        lambda: ThingRecord(text="\ud800"),
    ],
)
async def test_what_fails_is_never_kept(make: Callable[[], ThingRecord]) -> None:
    thing, good, operations = make(), ThingRecord(5), CompiledOperations(schema, compile_at=1)
    things = [thing, good, thing, good]
    if thing.text != "\ud800":
        await check_same(
            schema,
            "{ things { text number size name marks place { name } } }",
            make_root=lambda: Root(things),
            is_strict=True,
            operations=operations,
            rounds=4,
        )
    else:
        plan = Plan("{ things { text number name } }")
        trees = [plain(await plan.tree(thing, good)) for _ in range(4)]
        assert trees[0] == trees[3]
    assert not kept_parts(thing)
