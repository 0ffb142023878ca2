"""Introspection is compiled like anything else."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import get_introspection_query

from schema.build import build_schema
from tests.graphql_compiler.compare import check_same
from tests.graphql_compiler.random_schema import make_schema

QUERIES: list[tuple[str, dict[str, Any]]] = [
    (get_introspection_query(input_value_deprecation=True, specified_by_url=True, schema_description=True), {}),
    (
        "query ($name: String!) { __type(name: $name) { ...T } } fragment T on __Type { name kind ofType { name } }",
        {"name": "Post"},
    ),
    ("query ($name: String!) { __type(name: $name) { name } }", {"name": "no such type"}),
    ("query ($name: String!) { __type(name: $name) { name } }", {"name": None}),
    (
        'query ($all: Boolean!) { __type(name: "User") { fields(includeDeprecated: $all) { name args { defaultValue } } } }',
        {"all": True},
    ),
    ('query ($all: Boolean = null) { __type(name: "User") { fields(includeDeprecated: $all) { name } } }', {}),
    ("{ __typename a: __schema { __typename types { __typename name } } __schema { queryType { fields { name } } } }", {}),
]


@pytest.mark.parametrize(("query", "variables"), QUERIES)
async def test_our_own(query: str, variables: dict[str, Any]) -> None:
    await check_same(build_schema(), query, variables=variables, is_strict=True, rounds=2)


@pytest.mark.parametrize("seed", range(3))
async def test_random_schemas(seed: int) -> None:
    await check_same(make_schema(seed).schema, get_introspection_query(), is_strict=True)
