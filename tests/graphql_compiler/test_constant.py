"""Answers about the schema alone are put together once."""

from __future__ import annotations

from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, execute_sync, get_introspection_query, parse

from graphql_compiler import CompiledOperations, plan
from tests.graphql_compiler.compare import find_operation


@strawberry.type(description="Ä \U0001f600")
class Query:
    name: str = "x"


schema = strawberry.Schema(Query)


async def answers(query: str, variables: dict[str, Any], times: int) -> list[Any]:
    document = parse(query)
    operations = CompiledOperations(schema, compile_at=1)
    found = []
    for _ in range(times):
        ready = operations.find(query, document, find_operation(document), variables)
        assert ready is not None
        result = await ready.execute(Query())
        assert result is not None
        found.append(result.data)
    return found


def expected(query: str, variables: dict[str, Any]) -> Any:
    result = execute_sync(schema._schema, parse(query), root_value=Query(), variable_values=variables)
    assert isinstance(result, ExecutionResult)
    return result.data


@pytest.mark.parametrize(
    ("query", "variables", "is_kept"),
    [
        (get_introspection_query(), {}, True),
        ("{ __typename __schema { queryType { name } } other: __typename }", {}, True),
        ("query($n: String!) { __type(name: $n) { name description } }", {"n": "Query"}, False),
        ("{ __typename name }", {}, False),
        ("query($d: Boolean!) { __schema { types { fields(includeDeprecated: $d) { name } } } }", {"d": True}, False),
    ],
)
async def test_introspection_is_the_same_each_time(query: str, variables: dict[str, Any], is_kept: bool) -> None:
    plan._constant.clear()
    assert await answers(query, variables, 3) == [expected(query, variables)] * 3
    assert len(plan._constant) == int(is_kept)


async def test_few_are_kept() -> None:
    plan._constant.clear()
    for number in range(40):
        query = f"{{ a{number}: __schema {{ queryType {{ name }} }} }}"
        assert await answers(query, {}, 2) == [expected(query, {})] * 2
    assert len(plan._constant) == plan._MAX_CONSTANT
