"""What a record has at hand is not loaded, and is rendered with it; what it has not, as if there were no such attribute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import strawberry
from aiodataloader import DataLoader
from graphql import parse
from orjson import Fragment

from graphql_compiler import CompiledOperations, plain
from tests.graphql_compiler.compare import check_same, find_operation
from tests.graphql_compiler.kept import kept_parts

_NAMES = {1: "ada", 2: "bob", 3: "cat"}


@dataclass
class Batch:
    loader: Callable[[Any], Any]
    key: str
    finish: Callable[[Any, Any, Any], Any] | None = None
    at_hand: str | None = None


@dataclass(frozen=True, slots=True)
class Writer:
    number: int
    name: Any
    rendered_json: tuple[Any, ...] | None = field(default=None, init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    words: str
    writer_number: int
    writer: Any = None
    first: Text | None = None
    rendered_json: tuple[Any, ...] | None = field(default=None, init=False, repr=False, compare=False)


class Context:
    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self._writers: DataLoader[int, Writer] | None = None

    @property
    def writers(self) -> DataLoader[int, Writer]:
        if self._writers is None:
            self._writers = DataLoader(self._load)
        return self._writers

    @property
    def has_loader(self) -> bool:
        return self._writers is not None

    async def _load(self, keys: list[int]) -> list[Any]:
        self.batches.append(list(keys))
        return [Writer(key, _NAMES[key]) if key in _NAMES else None for key in keys]


Info = strawberry.Info[Context, None]


async def _by(root: Text, info: Info) -> Any:
    return root.writer if root.writer is not None else await info.context.writers.load(root.writer_number)


async def _by_name(root: Text, info: Info) -> Any:
    found = await _by(root, info)
    return _shout(root, found, info.context)


def _shout(_root: Text, found: Writer | None, _context: Context) -> str | None:
    return found.name.upper() if found is not None else None


_by.batch = Batch(lambda context: context.writers, "writer_number", at_hand="writer")  # type: ignore[attr-defined]
_by_name.batch = Batch(lambda context: context.writers, "writer_number", _shout, "writer")  # type: ignore[attr-defined]


def _asked(root: Writer, info: Info) -> int:
    return len(info.context.batches)


@strawberry.type(name="Writer")
class WriterType:
    number: int
    name: str
    asked = strawberry.field(resolver=_asked, graphql_type=int)


@strawberry.type(name="Text")
class TextType:
    words: str
    by = strawberry.field(resolver=_by, graphql_type=WriterType | None)
    sure = strawberry.field(resolver=_by, graphql_type=WriterType)
    by_name = strawberry.field(resolver=_by_name, graphql_type=str | None)
    first: TextType | None


@strawberry.type
class Query:
    texts: list[TextType]


@dataclass
class Root:
    texts: list[Text]


schema = strawberry.Schema(Query)
ADA, BOB = Writer(1, "ada"), Writer(2, "bob")
SELECTIONS = [
    "words by { name number }",
    "by { name }",
    "words byName",
    "byName by { name asked } words",
    "words first { words by { name } }",
    "first { words first { by { number name } } }",
    "words sure { name }",
]


def texts() -> list[Text]:
    whole = Text("a", 1, ADA)
    return [
        whole,
        Text("b", 2, BOB, whole),
        Text("c", 3, None, whole),
        Text("d", 2, None, Text("e", 1)),
        Text("f", 1, ADA, Text("g", 2, BOB, Text("h", 3))),
    ]


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("only_at_hand", [False, True])
async def test_the_same_as_graphql_core(selection: str, only_at_hand: bool) -> None:
    kept = [text for text in texts() if text.writer is not None or not only_at_hand]
    operations = CompiledOperations(schema, compile_at=1)
    for _ in range(2):
        await check_same(
            schema,
            f"{{ texts {{ {selection} }} }}",
            make_root=lambda: Root(kept),
            make_context=Context,
            operations=operations,
            rounds=4,
        )


@pytest.mark.parametrize("writer", [Writer(1, None), Writer(1, object()), "nobody", 5])
async def test_what_is_wrong_with_it_is_told(writer: Any) -> None:
    things = [Text("a", 1, writer), Text("b", 2, BOB), Text("c", 9), Text("d", 9)]
    for selection in ("words by { name }", "words sure { name }"):
        operations = CompiledOperations(schema, compile_at=1)
        await check_same(
            schema,
            f"{{ texts {{ {selection} }} }}",
            make_root=lambda: Root(things),
            make_context=Context,
            operations=operations,
            rounds=4,
        )
    assert not kept_parts(things[0])


async def _tree(operations: CompiledOperations, query: str, root: Root, context: Context) -> Any:
    document = parse(query)
    ready = operations.find(query, document, find_operation(document))
    assert ready is not None
    result = await ready.execute(root, context)
    assert result is not None
    return result.tree


async def test_nobody_is_asked_and_both_are_rendered_together() -> None:
    query, operations = "{ texts { words by { name } } }", CompiledOperations(schema, compile_at=1)
    things, context = [Text(str(number), 1, ADA) for number in range(6)], Context()
    trees = [await _tree(operations, query, Root(things), context) for _ in range(3)]
    assert not context.has_loader
    assert all(isinstance(each, Fragment) for each in trees[2]["texts"])
    assert plain(trees[2]) == trees[0] == {"texts": [{"words": str(n), "by": {"name": "ada"}} for n in range(6)]}


async def test_what_had_to_be_loaded_is_never_kept() -> None:
    query, operations = "{ texts { words first { words by { name } } } }", CompiledOperations(schema, compile_at=1)
    things, context = [Text(str(number), 1, ADA, Text("first", 1 + number % 3)) for number in range(6)], Context()
    trees = [plain(await _tree(operations, query, Root(things), Context() if n else context)) for n in range(4)]
    assert context.batches == [[1, 2, 3]]
    assert not any(kept_parts(thing) or kept_parts(thing.first) for thing in things)
    assert trees[3] == trees[0]
    assert [each["first"]["by"]["name"] for each in trees[0]["texts"]] == ["ada", "bob", "cat"] * 2
