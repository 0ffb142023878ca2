"""Loaders: one batch for whole lists, and the loader's own cache."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any, cast

import pytest
import strawberry
from aiodataloader import DataLoader

from tests.graphql_compiler.compare import Answer, check_same


@dataclass
class Batch:
    loader: Callable[[Any], Any]
    key: Callable[[Any, Any], Any]
    finish: Callable[[Any, Any, Any], Any] | None = None


class Context:
    """Counts what is loaded. `load`: what a key's value is."""

    def __init__(self, load: Callable[[int], Any], **options: Any) -> None:
        self.batches: list[list[int]] = []
        self._load = load

        async def load_batch(keys: list[int]) -> Any:
            self.batches.append(list(keys))
            await asyncio.sleep(0)
            return [load(key) for key in keys] if not isinstance(load, str) else load

        self.items: DataLoader[int, Any] = DataLoader(load_batch, **options)
        self.is_open = True


@dataclass
class Item:
    number: Any = 1
    others: list[Item] = field(default_factory=list)


async def _friend(root: Item, info: strawberry.Info[Context, None]) -> Item:
    found: Item = await info.context.items.load(root.number)
    return found


async def _maybe(root: Item, info: strawberry.Info[Context, None]) -> Item | None:
    if not info.context.is_open or root.number % 2:
        return None
    found: Item = await info.context.items.load(root.number)
    return found


async def _double(root: Item, info: strawberry.Info[Context, None]) -> int:
    found = await info.context.items.load(root.number)
    return int(found.number) * 2


async def _unmarked(root: Item, info: strawberry.Info[Context, None]) -> Item:
    found: Item = await info.context.items.load(root.number)
    return found


_friend.batch = Batch(lambda context: context.items, lambda root, _: root.number)  # type: ignore[attr-defined]
_maybe.batch = Batch(  # type: ignore[attr-defined]
    lambda context: context.items if context.is_open else None, lambda root, _: None if root.number % 2 else root.number
)
_double.batch = Batch(  # type: ignore[attr-defined]
    lambda context: context.items, lambda root, _: root.number, lambda _root, value, _context: int(value.number) * 2
)


@strawberry.type
class Thing:
    number: int
    others: list[Thing]
    friend = strawberry.field(resolver=_friend, graphql_type="Thing")
    maybe = strawberry.field(resolver=_maybe, graphql_type="Thing | None")
    double = strawberry.field(resolver=_double, graphql_type=int)
    unmarked = strawberry.field(resolver=_unmarked, graphql_type="Thing")


@strawberry.type
class Query:
    @strawberry.field
    def things(root: Any) -> list[Thing | None]:  # noqa: N805
        return cast("list[Thing | None]", root)

    @strawberry.field
    async def slow(root: Any) -> list[Thing]:  # noqa: N805
        for _ in range(3):
            await asyncio.sleep(0)
        return cast("list[Thing]", root)


SCHEMA = strawberry.Schema(query=Query)


async def ask(
    query: str, make: Callable[[], Context], root: list[Any] | None = None
) -> tuple[Answer, list[list[int]], list[list[int]]]:
    """The answer, and the batches of both."""
    contexts: list[Context] = []

    def make_context() -> Context:
        contexts.append(make())
        return contexts[-1]

    items = [Item(number) for number in (1, 2, 3, 2)] if root is None else root
    answer = await check_same(SCHEMA, query, make_root=lambda: items, make_context=make_context)
    return answer, contexts[0].batches, contexts[1].batches


async def test_one_batch_for_a_list_its_fields_and_aliases() -> None:
    query = "{ things { friend { number friend { double } } other: friend { number } double maybe { number } } }"
    _, ours, theirs = await ask(query, lambda: Context(lambda key: Item(key + 10)))
    assert [sorted(each) for each in ours] == [[1, 2, 3], [11, 12, 13], [21, 22, 23]]
    assert [sorted(each) for each in theirs] == [sorted(each) for each in ours]


async def test_what_resolvers_load_one_by_one_is_shared() -> None:
    for query in (
        "{ things { unmarked { number } friend { number } } }",
        "{ things { friend { unmarked { number } friend { number } } } slow { friend { number } unmarked { number } } }",
        "{ things { friend { number } } slow { unmarked { number } } }",
    ):
        _, ours, theirs = await ask(query, lambda: Context(lambda key: Item(key % 5)))
        assert sorted(chain(*ours)) == sorted(chain(*theirs))


async def test_primed_and_failed_values() -> None:
    def make() -> Context:
        context = Context(lambda key: Item(key + 10))
        context.items.prime(2, Item(99))
        context.items.prime(3, ValueError("known to fail"))
        return context

    _, ours, _ = await ask("{ things { friend { number } double maybe { number } } }", make)
    assert ours == [[1]]


@pytest.mark.parametrize(
    "load",
    [
        lambda key: ValueError(f"no {key}") if key == 2 else Item(key),
        lambda key: None,
        lambda key: 1 / 0,
        lambda key: Item("n") if key == 3 else "no item",
        "short",
        "",
    ],
)
async def test_failures(load: Any) -> None:
    for query in (
        "{ things { friend { number } maybe { number } } }",
        "{ things { double } }",
        "{ things { maybe { friend { number } } } slow { maybe { double } } }",
    ):
        await ask(query, lambda: Context(load))


async def test_keys_that_cannot_be_had() -> None:
    root = [Item("odd"), Item(2), Item([1]), Item(None)]
    await ask("{ things { maybe { number } } }", lambda: Context(Item), root=root)


async def test_loaders_of_every_kind() -> None:
    for options in ({"cache": False}, {"batch": False}, {"max_batch_size": 2}, {"get_cache_key": lambda key: key % 2}):
        answer, ours, theirs = await ask(
            "{ things { friend { number } double } slow { maybe { number } } }",
            partial(Context, lambda key: Item(key % 2), **options),
        )
        assert not answer.errors
        assert len(ours) <= len(theirs), options


async def test_no_loader_is_null() -> None:
    def make() -> Context:
        context = Context(Item)
        context.is_open = False
        return context

    answer, ours, _ = await ask("{ things { maybe { number } } }", make)
    assert ours == []
    assert answer.data == {"things": [{"maybe": None}] * 4}


async def test_a_loader_that_cannot_be_had() -> None:
    def make() -> Context:
        context = Context(Item)
        del context.items
        return context

    answer, _, _ = await ask("{ things { friend { number } } }", make)
    assert [error.path for error in answer.errors] == [["things", number, "friend"] for number in range(4)]
