"""Executes operations, compiled or on graphql-core, under our limits and our errors. Transports call this and nothing below."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from graphql import FieldNode, GraphQLError, OperationDefinitionNode, OperationType
from graphql.execution import (
    ExecutionResult,
    create_source_event_stream,
    execute,
    execute_subscription_event,
    get_argument_values,
)
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from graphql_compiler import CompiledOperations, Ready, Result, plain
from resolvers.context import OperationContext
from schema.build import graphql_core_schema
from schema.documents import Document, Documents, RequestError
from schema.errors import BAD_USER_INPUT, format_error
from schema.live_templates import Beats

Response = dict[str, Any]
"""`data` and `errors` as the specification says. `plain` makes one that can be read of one that can only be written."""


class LiveAnswer(NamedTuple):
    """One answer to a subscription. `cursor`: behind the event that it answers, asked for or not; None where it has none."""

    response: Response
    cursor: str | None = None


class _FreshEventExecutor(StrawberryGraphQLCoreExecutionContext):
    """Gives every event of a subscription a context of its own: loaders that outlive an event answer from the past."""

    def build_per_event_executor(self, payload: Any) -> Any:
        executor = super().build_per_event_executor(payload)
        executor.context_value = cast("OperationContext", self.context_value).for_event()
        return executor


@dataclass(slots=True)
class Operation:
    """A checked operation, ready to be executed. Nobody changes its variables."""

    document: Document
    node: OperationDefinitionNode
    variables: dict[str, Any]
    compiled: Ready | None = field(default=None, compare=False)
    """Kept for the next time that this very object is executed."""
    kind: str = field(init=False, compare=False)
    """`type` in words: query, mutation, subscription."""

    def __post_init__(self) -> None:
        self.kind = self.node.operation.value

    @property
    def type(self) -> OperationType:
        return self.node.operation

    @property
    def name(self) -> str | None:
        return self.node.name.value if self.node.name else None

    @property
    def root_fields(self) -> Mapping[str, int]:
        """How often it asks for which root field."""
        return self.document.root_fields[self.name]


class Engine:
    """Prepares and executes operations of one process."""

    def __init__(self, *, has_introspection: bool, note_executor: Callable[[str], None] = lambda _name: None) -> None:
        """`note_executor`: called for each execution with `compiled` or `graphql_core`."""
        self._documents = Documents(has_introspection=has_introspection)
        self._compiled = CompiledOperations(graphql_core_schema(), hide_suggestions=True)
        self._note_executor = note_executor
        self.beats = Beats()

    def prepare(self, query: str, operation_name: str | None, variables: dict[str, Any] | None) -> Operation:
        """Raises RequestError with the errors in their public form."""
        document = self._documents.get(query)
        node = document.operation(operation_name)
        problem = document.sizes.check(node, variables or {})
        if problem is not None:
            raise RequestError(format_error(problem))
        return Operation(document, node, variables or {})

    async def execute(self, operation: Operation, context: OperationContext) -> Response:
        """The answer to a query or mutation."""
        response: Response = plain(await self.answer(operation, context))
        return response

    async def answer(self, operation: Operation, context: OperationContext) -> Response:
        """The same for `write_json` alone: rendered parts stand in its data."""
        context.asked_fields = operation.document.field_names
        ready = self._find_compiled(operation)
        compiled = await ready.execute(None, context) if ready is not None else None
        if compiled is not None:
            self._note_executor("compiled")
            return _to_response(compiled)
        self._note_executor("graphql_core")
        result: Any = execute(
            graphql_core_schema(),
            operation.document.ast,
            context_value=context,
            variable_values=operation.variables,
            operation_name=operation.name,
            executor_class=cast("Any", _FreshEventExecutor),
            hide_suggestions=True,
        )
        if inspect.isawaitable(result):
            result = await result
        return to_response(result)

    def arguments(self, operation: Operation, context: OperationContext, field: FieldNode) -> dict[str, Any]:
        """The arguments of a subscription's root field, checked. Raises GraphQLError for variables that do not fit."""
        executor = self._executor(operation, context)
        if isinstance(executor, list):
            raise executor[0]
        subscription = graphql_core_schema().subscription_type
        assert subscription is not None, "ours has subscriptions"
        return dict(get_argument_values(subscription.fields[field.name.value], field, executor.variable_values))

    async def execute_event(self, operation: Operation, context: OperationContext, event: object) -> Response:
        """The answer to one event of a subscription, in a context of its own, for `write_json`."""
        ready = self._find_compiled(operation)
        compiled = await ready.execute(event, context.for_event()) if ready is not None else None
        self._note_executor("compiled" if compiled is not None else "graphql_core")
        if compiled is not None:
            return _to_response(compiled)
        executor = self._executor(operation, context)
        if isinstance(executor, list):
            return to_response(ExecutionResult(None, errors=executor))
        result: Any = execute_subscription_event(executor.build_per_event_executor(event))
        return to_response(await result if inspect.isawaitable(result) else result)

    def _find_compiled(self, operation: Operation) -> Ready | None:
        """None: the operation is graphql-core's to execute."""
        ready = operation.compiled
        if ready is None or not ready.can_be_kept:
            ast, ready = operation.document.ast, None
            if ast.loc is not None:
                ready = self._compiled.find(ast.loc.source.body, ast, operation.node, operation.variables)
            operation.compiled = ready if ready is not None and ready.can_be_kept else None
        return ready

    def _executor(self, operation: Operation, context: OperationContext) -> Any:
        """Or a list of what is wrong with the variables."""
        return _FreshEventExecutor.build(
            graphql_core_schema(),
            operation.document.ast,
            context_value=context,
            raw_variable_values=operation.variables,
            operation_name=operation.name,
            hide_suggestions=True,
        )

    async def subscribe(self, operation: Operation, context: OperationContext) -> AsyncGenerator[LiveAnswer]:
        """The answers to a subscription, one an event. A failure ends the stream with a last answer that has errors only."""
        executor = self._executor(operation, context)
        if isinstance(executor, list):
            yield LiveAnswer(to_response(ExecutionResult(None, errors=executor)))
            return
        events: Any = create_source_event_stream(executor)
        if inspect.isawaitable(events):
            events = await events
        if isinstance(events, ExecutionResult):
            yield LiveAnswer(to_response(events))
            return

        try:
            async for event in events:
                response = await self.execute_event(operation, context, event)
                yield LiveAnswer(plain(response), getattr(event, "cursor", None))
        except GraphQLError as failure:
            yield LiveAnswer({"errors": [format_error(failure)]})
        except Exception as failure:
            yield LiveAnswer({"errors": [format_error(GraphQLError(str(failure), original_error=failure))]})
        finally:
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()


def _to_response(result: Result) -> Response:
    if not result.errors:
        return {"data": result.tree}
    return to_response(ExecutionResult(result.tree, result.errors or None))


def to_response(result: ExecutionResult) -> Response:
    """The public form of a result."""
    response: Response = {}
    if result.errors:
        # Without data nothing was executed: then what fails is the request itself, its variables for instance.
        default = BAD_USER_INPUT if result.data is None else "INTERNAL_SERVER_ERROR"
        response["errors"] = [format_error(failure, default_code=default) for failure in result.errors]
    if result.data is not None or not result.errors or any(failure.path for failure in result.errors):
        response["data"] = result.data
    return response
