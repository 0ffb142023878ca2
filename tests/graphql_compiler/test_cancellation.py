"""Being cancelled, and what is left when an answer is there."""

from __future__ import annotations

import asyncio
import gc
import warnings
from typing import Any

import pytest
import strawberry
from graphql import parse

from graphql_compiler import CompiledOperations
from tests.graphql_compiler.compare import by_compiler, by_graphql_core, check_same
from tests.graphql_compiler.random_operation import make_operation
from tests.graphql_compiler.random_schema import make_schema
from tests.graphql_compiler.random_values import Habits, Values


class Journal:
    def __init__(self) -> None:
        self.begun = 0
        self.ended: list[str] = []
        self.all_begun = asyncio.Event()


async def _wait(info: strawberry.Info[Journal, None], name: str) -> str:
    journal = info.context
    journal.begun += 1
    journal.all_begun.set()
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        await asyncio.sleep(0)
        journal.ended.append(name)
        raise
    return name


@strawberry.type
class Query:
    @strawberry.field
    async def wait(self, info: strawberry.Info[Journal, None], name: str = "a") -> str | None:
        return await _wait(info, name)

    @strawberry.field
    async def must_wait(self, info: strawberry.Info[Journal, None], name: str = "a") -> str:
        return await _wait(info, name)

    @strawberry.field
    async def fail(self, info: strawberry.Info[Journal, None]) -> str:
        await info.context.all_begun.wait()
        raise ValueError("failed")

    @strawberry.field
    async def cancelled(self) -> str | None:
        raise asyncio.CancelledError

    @strawberry.field
    def exits(self) -> str | None:
        raise SystemExit(3)

    @strawberry.field
    def child(self) -> Query | None:
        return Query()


SCHEMA = strawberry.Schema(query=Query)


async def start(query: str) -> tuple[asyncio.Task[Any], Journal]:
    journal, document = Journal(), parse(query)
    work = by_compiler(CompiledOperations(SCHEMA, compile_at=1), document, root=Query(), context=journal)
    task = asyncio.ensure_future(work)
    await journal.all_begun.wait()
    return task, journal


@pytest.mark.parametrize("query", ["{ wait }", '{ wait mustWait(name: "b") child { wait(name: "c") } }'])
async def test_cancelling_ends_everything(query: str) -> None:
    before = asyncio.all_tasks()
    task, journal = await start(query)
    await asyncio.sleep(0)
    task.cancel()
    answer = await asyncio.wait_for(task, 10)
    assert answer.raised is asyncio.CancelledError
    assert len(journal.ended) == journal.begun
    assert asyncio.all_tasks() <= before


async def test_what_is_nulled_is_not_waited_for() -> None:
    before = asyncio.all_tasks()
    task, journal = await start('{ child { mustWait fail child { wait(name: "deep") } } }')
    answer = await asyncio.wait_for(task, 10)
    assert answer.data == {"child": None}
    assert [error.path for error in answer.errors] == [["child", "fail"]]
    assert sorted(journal.ended) == ["a", "deep"]
    assert asyncio.all_tasks() <= before


@pytest.mark.parametrize(
    "query", ["{ cancelled }", "{ cancelled child { cancelled } }", "{ child { cancelled child { cancelled } } }"]
)
async def test_a_resolver_that_is_cancelled(query: str) -> None:
    await check_same(SCHEMA, query, make_root=Query, make_context=Journal)


async def test_what_is_no_exception_goes_through() -> None:
    document = parse("{ wait exits }")
    for answer in (
        await by_compiler(CompiledOperations(SCHEMA, compile_at=1), document, root=Query(), context=Journal()),
        await by_graphql_core(SCHEMA, parse("{ exits }"), root=Query(), context=Journal()),
    ):
        assert answer is not None
        assert answer.raised is SystemExit


async def test_no_coroutine_is_left_behind() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for seed in range(4):
            made = make_schema(seed)
            operations = CompiledOperations(made.schema, compile_at=1)
            for number in range(10):
                operation = make_operation(made.schema._schema, f"{seed} {number}")
                values = Values(made.schema._schema, number, made.records, Habits(null=80, raising=60, nonsense=40))
                await by_compiler(operations, operation.document, root=values, context=values, variables=operation.variables)
        gc.collect()
    assert [str(each.message) for each in seen] == []
