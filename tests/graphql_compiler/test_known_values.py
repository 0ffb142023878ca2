"""What a loader knows is taken without waiting; a value may want several keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import strawberry
from aiodataloader import DataLoader

from tests.graphql_compiler.compare import Answer, check_same


@dataclass
class Batch:
    loader: Callable[[Any], Any]
    key: str | Callable[[Any, Any], Any]
    finish: Callable[[Any, Any, Any], Any] | None = None
    is_many: bool = False


class KnowingLoader(DataLoader[int, Any]):
    def __init__(self, context: Context, known: dict[int, Any]) -> None:
        super().__init__(context.load_batch)
        self.known = known

    def load(self, key: int) -> asyncio.Future[Any]:
        if key in self.known:
            self.prime(key, self.known[key])
        return super().load(key)


class Context:
    """`known`: by key. Everything else is loaded: None for 0, an error below it, otherwise a record of twice the number."""

    def __init__(self, known: dict[int, Any]) -> None:
        self.batches: list[list[int]] = []
        self.items = KnowingLoader(self, known)

    async def load_batch(self, keys: list[int]) -> list[Any]:
        self.batches.append(list(keys))
        await asyncio.sleep(0)
        return [ValueError(f"no {key}") if key < 0 else Record(key * 2) if key else None for key in keys]


@dataclass
class Record:
    number: Any
    friend_number: Any = None
    group: Any = ()


Info = strawberry.Info[Context, None]


async def _friend(root: Record, info: Info) -> Any:
    return await info.context.items.load(root.friend_number) if root.friend_number is not None else None


async def _sure(root: Record, info: Info) -> Any:
    return await info.context.items.load(root.friend_number) if root.friend_number is not None else None


def _number_of(_root: Record, found: Record | None, _context: Context) -> int:
    return 1 // found.number if found is not None else -1


async def _inverse(root: Record, info: Info) -> int:
    found = await info.context.items.load(root.friend_number) if root.friend_number is not None else None
    return _number_of(root, found, info.context)


def _there(_root: Record, found: list[Record | None], _context: Context) -> list[Record]:
    return [each for each in found if each is not None]


async def _group(root: Record, info: Info) -> list[Record]:
    return _there(root, await info.context.items.load_many(root.group), info.context)


def _items(context: Context) -> KnowingLoader:
    return context.items


_friend.batch = Batch(_items, "friend_number")  # type: ignore[attr-defined]
_sure.batch = Batch(_items, lambda root, _context: root.friend_number)  # type: ignore[attr-defined]
_inverse.batch = Batch(_items, "friend_number", _number_of)  # type: ignore[attr-defined]
_group.batch = Batch(_items, "group", _there, is_many=True)  # type: ignore[attr-defined]


@strawberry.type
class Thing:
    number: int
    friend = strawberry.field(resolver=_friend, graphql_type="Thing | None")
    sure = strawberry.field(resolver=_sure, graphql_type="Thing")
    inverse = strawberry.field(resolver=_inverse, graphql_type=int | None)
    group = strawberry.field(resolver=_group, graphql_type=list["Thing"] | None)


@strawberry.type
class Query:
    things: list[Thing | None]


schema = strawberry.Schema(query=Query)
QUERY = "{ things { number friend { number friend { number } group { number } } %s } }"


async def ask(
    things: list[Record], known: dict[int, Any], selection: str = "inverse group { number sure { number } }"
) -> tuple[Answer, list[list[int]]]:
    """On both. What was loaded is the compiler's."""
    contexts: list[Context] = []

    def make_context() -> Context:
        contexts.append(Context(dict(known)))
        return contexts[-1]

    @dataclass
    class Root:
        things: list[Record]

    answer = await check_same(schema, QUERY % selection, make_root=lambda: Root(things), make_context=make_context)
    assert len(contexts[0].batches) <= len(contexts[1].batches)
    return answer, contexts[0].batches


PAIR = {1: Record(11, 2), 2: Record(22, None), 7: None}


async def test_all_is_known() -> None:
    answer, batches = await ask([Record(1, 1), Record(2, 2), Record(3, 7), Record(4, None)], PAIR)
    assert batches == []
    assert answer.errors == []


async def test_some_is_known() -> None:
    answer, batches = await ask([Record(1, 1), Record(2, 5), Record(3, 1), Record(4, 6)], PAIR)
    assert batches == [[5, 6]]
    assert answer.errors == []


async def test_several_keys() -> None:
    known = {1: Record(11, 1), 2: Record(22, 1), 4: Record(8, 1)}
    things = [Record(1, None, [2, 1, 9]), Record(2, None, ()), Record(3, None, [0, 2, 2])]
    answer, batches = await ask(things, known, "group { number }")
    assert batches[0] == [9, 0]
    assert [len(each["group"]) for each in answer.data["things"]] == [3, 0, 2]


@pytest.mark.parametrize(
    "known",
    [
        {},
        {3: Record(0)},
        {3: None},
        {3: "of another type"},
        {3: Record("seven")},
        {3: Record(None)},
        {3: Record(5, -1)},
    ],
)
@pytest.mark.parametrize("selection", ["inverse", "sure { number }", "sure { sure { number } }", "group { number }"])
async def test_failures(known: dict[int, Any], selection: str) -> None:
    await ask([Record(1, 3, [3, -1]), Record(2, -1, [3]), Record(3, 3), Record(4, [], 7)], known, selection)


async def test_keys_that_cannot_be_had() -> None:
    @dataclass
    class Lacking:
        number: int = 1

    things: Any = [Lacking(), Record(2, 1)]
    contexts = [Context(PAIR) for _ in range(2)]
    answer = await check_same(
        schema,
        "{ things { number friend { number } } }",
        make_root=lambda: type("Root", (), {"things": things})(),
        make_context=contexts.pop,
    )
    assert "friend_number" in answer.errors[0].message
