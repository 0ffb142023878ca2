"""Mutations, which run one after the other, and the events of subscriptions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import strawberry

from tests.graphql_compiler.compare import check_same


@strawberry.type
class Counter:
    value: int

    @strawberry.field
    async def later(self, info: strawberry.Info) -> int:
        await asyncio.sleep(0)
        return len(info.context)

    @strawberry.field
    def failing(self) -> int:
        raise ValueError("below")


@strawberry.type
class Query:
    value: int = 1


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def add(self, info: strawberry.Info, by: int = 1) -> Counter:
        info.context.append(f"begin {by}")
        await asyncio.sleep(0)
        info.context.append(f"end {by}")
        return Counter(value=len(info.context))

    @strawberry.mutation
    def at_once(self, info: strawberry.Info) -> Counter | None:
        info.context.append("at once")
        return Counter(value=len(info.context))

    @strawberry.mutation
    async def fail(self, info: strawberry.Info) -> Counter | None:
        info.context.append("fail")
        raise ValueError("failed")

    @strawberry.mutation
    async def fail_hard(self, info: strawberry.Info) -> Counter:
        info.context.append("fail hard")
        raise ValueError("failed hard")

    @strawberry.mutation
    def null(self, info: strawberry.Info) -> Counter:
        info.context.append("null")
        return None  # type: ignore[return-value]


@strawberry.type
class Event:
    number: int
    text: str | None

    @strawberry.field
    async def twice(self) -> int:
        return self.number * 2


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def events(self, above: int = 0) -> AsyncGenerator[Event]:
        yield Event(number=above, text=None)

    @strawberry.subscription
    async def maybe(self) -> AsyncGenerator[Event | None]:
        yield None


SCHEMA = strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription)


@pytest.mark.parametrize(
    "selection",
    [
        "add { value later } atOnce { value later } again: add(by: 2) { value }",
        "add { value } fail { value } atOnce { value failing } last: add { value }",
        "add { value failing } never: add { value }",
        "atOnce { value } failHard { value } never: add { value }",
        "null { value } never: add { value }",
        "__typename add { later } ... on Mutation { add { value } more: add { later } } kind: __typename",
    ],
)
async def test_mutations_one_after_the_other(selection: str) -> None:
    contexts: list[list[str]] = []

    def make_context() -> list[str]:
        contexts.append([])
        return contexts[-1]

    await check_same(SCHEMA, f"mutation {{ {selection} }}", make_root=Mutation, make_context=make_context)
    assert contexts[0] == contexts[1], "the same was done in the same order"


@pytest.mark.parametrize("event", [Event(number=3, text="x"), None, ValueError("no event"), Event(number="n", text=None), 7])  # type: ignore[arg-type]
@pytest.mark.parametrize("name", ["events(above: 2)", "maybe"])
async def test_events(name: str, event: Any) -> None:
    query = f"subscription S {{ it: {name} {{ number ...E }} }} fragment E on Event {{ text twice __typename }}"
    await check_same(SCHEMA, query, make_root=lambda: event, is_event=True)
