"""Three ways to execute an operation on the same schema, resolvers and servers; each gives the bytes that a client gets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from graphql import execute

from graphql_compiler import write_json
from resolvers.context import OperationContext
from schema.build import build_schema, graphql_core_schema
from schema.documents import Documents
from schema.execution import Engine, to_response

Way = Callable[[str, dict[str, Any], OperationContext], Awaitable[bytes]]


def make_ways() -> dict[str, Way]:
    """By name: Tidings as it is, its document cache with graphql-core's execution, and plain Strawberry."""
    engine = Engine(has_introspection=True)
    documents = Documents(has_introspection=True)
    schema = build_schema()

    async def compiled(query: str, variables: dict[str, Any], context: OperationContext) -> bytes:
        operation = engine.prepare(query, None, variables)
        return write_json(await engine.answer(operation, context))

    async def graphql_core(query: str, variables: dict[str, Any], context: OperationContext) -> bytes:
        document = documents.get(query)
        document.operation(None)
        result: Any = execute(graphql_core_schema(), document.ast, context_value=context, variable_values=variables)
        if not hasattr(result, "data"):
            result = await result
        return write_json(to_response(result))

    async def strawberry(query: str, variables: dict[str, Any], context: OperationContext) -> bytes:
        result: Any = await schema.execute(query, variable_values=variables, context_value=context)
        return orjson.dumps(to_response(result))

    return {"compiled": compiled, "graphql-core": graphql_core, "strawberry": strawberry}
