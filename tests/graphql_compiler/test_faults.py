"""A mistake of the compiler changes no answer: graphql-core gives it, and it is told once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
import strawberry
from graphql import parse

import graphql_compiler.drain
import graphql_compiler.plan
import graphql_compiler.writer
from graphql_compiler import CompiledOperations
from tests.graphql_compiler.compare import by_graphql_core, find_operation

begun: list[str] = []


@strawberry.type
class Thing:
    name: str | None

    @strawberry.field
    async def friend(self) -> Thing | None:
        await asyncio.sleep(0)
        return Thing(name="friend")


@strawberry.type
class Query:
    @strawberry.field
    async def thing(self) -> Thing | None:
        await asyncio.sleep(0)
        return Thing(name="a")

    @strawberry.field
    def wrong(self) -> Thing | None:
        raise NameError("a resolver's own mistake")


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def change(self) -> Thing | None:
        begun.append("change")
        return Thing(name="changed")


schema = strawberry.Schema(query=Query, mutation=Mutation)


def _undefined(monkeypatch: pytest.MonkeyPatch) -> None:
    """Generated code reads a name that is not there."""
    of_leaf = graphql_compiler.writer.Writer.leaf

    def leaf(self: Any, position: Any, template: Any, depth: int, is_resolved: bool) -> None:
        of_leaf(self, position, template, depth, is_resolved)
        self.source.risk(depth, "nothing_of_this_name", position, template)

    monkeypatch.setattr(graphql_compiler.writer.Writer, "leaf", leaf)


def _unnoted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line fails of which nobody said what it belongs to."""
    of_leaf = graphql_compiler.writer.Writer.leaf

    def leaf(self: Any, position: Any, template: Any, depth: int, is_resolved: bool) -> None:
        of_leaf(self, position, template, depth, is_resolved)
        self.source.line(depth, "[][1]")

    monkeypatch.setattr(graphql_compiler.writer.Writer, "leaf", leaf)


def _scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for values fails."""

    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(graphql_compiler.drain, "_complete", broken)


def _ungrammatical(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is generated when it is first needed is no Python."""
    monkeypatch.setattr(
        graphql_compiler.writer.Writer,
        "leaf",
        lambda self, _position, _template, depth, _is_resolved: self.source.line(depth, "no Python"),
    )


FAULTS = [_undefined, _unnoted, _scheduler, _ungrammatical]


@pytest.mark.parametrize("break_it", FAULTS)
async def test_a_query_is_given_back_and_told_once(
    break_it: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    break_it(monkeypatch)
    before = asyncio.all_tasks()  # what other tests have left to themselves in this loop is none of ours
    query = "{ thing { friend { name } name } other: thing { friend { friend { name } } } }"
    document = parse(query)
    operations = CompiledOperations(schema, compile_at=1)
    ready = operations.find(query, document, find_operation(document))
    again = operations.find(query, document, find_operation(document))
    assert ready is not None
    assert again is not None
    with caplog.at_level(logging.ERROR):
        assert await ready.execute() is None
        assert await again.execute() is None
    assert [record.message for record in caplog.records] == ["graphql_compiler.failed"]
    assert operations.find(query, document, find_operation(document)) is None
    assert operations.reason(query) == "the compiler failed when it was executed"
    assert asyncio.all_tasks() <= before, "nothing is left running"


async def test_what_a_resolver_raises_is_no_fault() -> None:
    query = "{ wrong { name } }"
    document = parse(query)
    ready = CompiledOperations(schema, compile_at=1).find(query, document, find_operation(document))
    assert ready is not None
    result = await ready.execute()
    theirs = await by_graphql_core(schema, document)
    assert result is not None
    assert [str(error) for error in result.errors] == [str(error) for error in theirs.errors]


@pytest.mark.parametrize("break_it", FAULTS)
async def test_a_mutation_that_has_begun_is_not_repeated(
    break_it: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    break_it(monkeypatch)
    begun.clear()
    query = "mutation { change { name } }"
    document = parse(query)
    ready = CompiledOperations(schema, compile_at=1).find(query, document, find_operation(document))
    assert ready is not None
    with pytest.raises(RuntimeError):
        await ready.execute()
    assert begun == ["change"]


@pytest.mark.parametrize("query", ["mutation { change { name } }", "{ a: thing { name } b: thing { name } }"])
async def test_what_has_not_begun_is_given_back(monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(graphql_compiler.plan, "wait_alone", broken)
    monkeypatch.setattr(graphql_compiler.drain._Scheduler, "_sort", broken)
    begun.clear()
    document = parse(query)
    ready = CompiledOperations(schema, compile_at=1).find(query, document, find_operation(document))
    assert ready is not None
    assert await ready.execute() is None
    assert begun == []
