"""One operation on both executors, and what must be the same.

The data must be equal, in the order of its keys. Errors are compared as sets of (path, message, places, code), since the order
in which fields that run together fail is nobody's promise. Where an error has nulled a value that holds more than its
own field, the specification wants one error for each place that was nulled and leaves open which one; so each error of ours
must be one that graphql-core finds when nothing is nulled above a failing field (its directive
`@experimental_disableErrorPropagation`), and each nulled place must have one. All other errors must be the same.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import orjson
from graphql import (
    DirectiveNode,
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    NameNode,
    OperationDefinitionNode,
    execute,
    parse,
)
from graphql.execution import execute_subscription_event
from strawberry.schema import Schema
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from graphql_compiler import CompiledOperations

Error = tuple[tuple[str | int, ...] | None, str, tuple[tuple[int, int], ...], str]


@dataclass(frozen=True, slots=True)
class Answer:
    """`raised`: what came out instead of a result."""

    data: Any
    errors: list[GraphQLError]
    raised: type[BaseException] | None = None
    written: bytes | None = None
    """As the compiler writes it."""

    @property
    def json(self) -> bytes:
        if self.written is not None:
            return self.written
        return orjson.dumps(self.data, option=orjson.OPT_NON_STR_KEYS)

    def error_list(self) -> list[Error]:
        return [_plain(error) for error in self.errors]


def _plain(error: GraphQLError) -> Error:
    original = error.original_error
    while isinstance(original, GraphQLError):
        original = original.original_error
    code = repr((error.extensions or {}).get("code", type(original).__name__))
    places = tuple((place.line, place.column) for place in error.locations or ())
    return tuple(error.path) if error.path is not None else None, error.message, places, code


def find_operation(document: DocumentNode, name: str | None = None) -> OperationDefinitionNode:
    return next(
        each
        for each in document.definitions
        if isinstance(each, OperationDefinitionNode) and (name is None or (each.name is not None and each.name.value == name))
    )


def key_of(document: DocumentNode) -> str:
    """What stands for a document."""
    assert document.loc is not None
    return document.loc.source.body


async def by_graphql_core(
    schema: Schema,
    document: DocumentNode,
    *,
    root: Any = None,
    context: Any = None,
    variables: dict[str, Any] | None = None,
    operation_name: str | None = None,
    is_event: bool = False,
    hide_suggestions: bool = False,
) -> Answer:
    executor_class = cast("Any", StrawberryGraphQLCoreExecutionContext)
    try:
        if is_event:
            executor: Any = executor_class.build(
                schema._schema, document, None, context, variables, operation_name, hide_suggestions=hide_suggestions
            )
            if isinstance(executor, list):
                return Answer(None, executor)
            result: Any = execute_subscription_event(executor.build_per_event_executor(root))
        else:
            result = execute(
                schema._schema,
                document,
                root,
                context,
                variables,
                operation_name,
                executor_class=executor_class,
                hide_suggestions=hide_suggestions,
            )
        if inspect.isawaitable(result):
            result = await result
    except BaseException as failure:
        if isinstance(failure, KeyboardInterrupt):
            raise
        return Answer(None, [], type(failure))
    assert isinstance(result, ExecutionResult)
    return Answer(result.data, list(result.errors or ()))


async def by_compiler(
    operations: CompiledOperations,
    document: DocumentNode,
    *,
    root: Any = None,
    context: Any = None,
    variables: dict[str, Any] | None = None,
    operation_name: str | None = None,
) -> Answer | None:
    """None where the operation is not compiled."""
    ready = operations.find(key_of(document), document, find_operation(document, operation_name), variables)
    if ready is None:
        return None
    try:
        result = await ready.execute(root, context)
    except BaseException as failure:
        if isinstance(failure, KeyboardInterrupt):
            raise
        return Answer(None, [], type(failure))
    assert result is not None, "the compiler failed"
    return Answer(result.data, result.errors, written=result.data_json)


def without_propagation(document: DocumentNode) -> DocumentNode:
    """The document with errors that null nothing but their own field."""
    directive = DirectiveNode(name=NameNode(value="experimental_disableErrorPropagation"), arguments=())
    definitions = []
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            definition = OperationDefinitionNode(
                operation=definition.operation,
                name=definition.name,
                variable_definitions=definition.variable_definitions,
                directives=(*(definition.directives or ()), directive),
                selection_set=definition.selection_set,
                loc=definition.loc,
            )
        definitions.append(definition)
    return DocumentNode(definitions=tuple(definitions), loc=document.loc)


async def check_same(
    schema: Schema,
    query: str | DocumentNode,
    *,
    make_root: Callable[[], Any] = lambda: None,
    make_context: Callable[[], Any] = lambda: None,
    variables: dict[str, Any] | None = None,
    operation_name: str | None = None,
    is_event: bool = False,
    is_strict: bool = False,
    cancels_nothing: bool = False,
    hide_suggestions: bool = False,
    operations: CompiledOperations | None = None,
    rounds: int = 1,
) -> Answer:
    """Executes it on both and compares. `rounds`: how often by the compiler, each with a root and a context of its own.

    `is_strict`: nothing is asynchronous, so errors must be equal in their order too. `cancels_nothing`: no resolver does. Then
    graphql-core is forgiven for cancelling itself, as it does where it cancels one resolver that waits for a loader's future,
    and another waits for the same. Gives the compiler's first answer.
    """
    document = parse(query) if isinstance(query, str) else query
    operations = operations or CompiledOperations(schema, compile_at=1)
    answers = []
    for _ in range(rounds):
        ours = await by_compiler(
            operations, document, root=make_root(), context=make_context(), variables=variables, operation_name=operation_name
        )
        assert ours is not None, f"not compiled: {operations.reason(key_of(document), operation_name)}"
        answers.append(ours)
    theirs = await by_graphql_core(
        schema,
        document,
        root=make_root(),
        context=make_context(),
        variables=variables,
        operation_name=operation_name,
        is_event=is_event,
        hide_suggestions=hide_suggestions,
    )

    async def all_errors() -> Answer:
        return await by_graphql_core(
            schema,
            without_propagation(document),
            root=make_root(),
            context=make_context(),
            variables=variables,
            operation_name=operation_name,
            is_event=is_event,
            hide_suggestions=hide_suggestions,
        )

    for ours in answers:
        if cancels_nothing and theirs.raised is asyncio.CancelledError:
            assert ours.raised is None
            continue
        assert ours.raised == theirs.raised, (ours, theirs)
        assert ours.json == theirs.json, f"data\n ours   {ours.json!r}\n theirs {theirs.json!r}\n {ours.errors} {theirs.errors}"
        if is_strict:
            assert ours.error_list() == theirs.error_list()
        elif sorted(ours.error_list(), key=repr) != sorted(theirs.error_list(), key=repr):
            _check_errors(ours, theirs, (await all_errors()).error_list())
    return answers[0]


def _check_errors(ours: Answer, theirs: Answer, possible: list[Error]) -> None:
    inside_ours = {error for error in ours.error_list() if _nulled_above(theirs.data, error[0])}
    inside_theirs = {error for error in theirs.error_list() if _nulled_above(theirs.data, error[0])}
    outside = set(ours.error_list()) - inside_ours, set(theirs.error_list()) - inside_theirs
    assert outside[0] == outside[1], f"errors outside of nulled places\n ours   {outside[0]}\n theirs {outside[1]}"
    assert inside_ours <= set(possible), f"errors that cannot be: {inside_ours - set(possible)}"
    places = [{_nulled_above(theirs.data, error[0]) for error in inside} for inside in (inside_ours, inside_theirs)]
    assert places[0] == places[1], f"nulled places with errors\n ours   {places[0]}\n theirs {places[1]}"


def _nulled_above(data: Any, path: tuple[str | int, ...] | None) -> tuple[str | int, ...] | None:
    """The place around a failing value that is null instead of it; None where there is none."""
    if path is None:
        return None
    at = data
    for length, key in enumerate(path):
        if at is None:
            return path[:length] or ("",)
        at = at[key]
    return None
