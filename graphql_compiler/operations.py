"""The compiled operations of a process: found by their document, made at the third use, and as many as there is room for."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationDefinitionNode, OperationType
from graphql.execution.values import VariableValues
from strawberry.schema import Schema

from graphql_compiler.analyse import check_schema, condition_variables
from graphql_compiler.failures import CompilerFaultError, NotCompilableError
from graphql_compiler.plan import Plan
from graphql_compiler.rendering import plain, write_json
from graphql_compiler.run import Run
from graphql_compiler.variables import Variables

log = logging.getLogger(__name__)

MAX_VARIANTS = 8
"""Plans of one operation whose `@include` and `@skip` hang on variables: one for each set of their values."""
MAX_VALUES = 50_000
"""Of all plans together, some 2 kB each: large operations leave room for fewer."""


@dataclass(frozen=True, slots=True)
class Result:
    """`tree`: the data, to be written by `write_json`, since rendered parts may stand in it; None: null.

    `is_refused`: nothing was executed, since the variables do not fit.
    """

    tree: dict[str, Any] | None
    errors: list[GraphQLError]
    is_refused: bool

    @property
    def data(self) -> dict[str, Any] | None:
        """As graphql-core gives it."""
        data: dict[str, Any] | None = plain(self.tree)
        return data

    @property
    def data_json(self) -> bytes:
        """The data as JSON, fields in the order of the document."""
        return write_json(self.tree)


@dataclass(slots=True)
class _Operation:
    """What is known of one operation. `reason`: why it is not compiled."""

    node: OperationDefinitionNode
    variables: Variables
    conditions: tuple[str, ...] = ()
    plans: dict[tuple[Any, ...], Plan] = field(default_factory=dict)
    reason: str | None = None

    def give_up(self, reason: str, fault: BaseException) -> None:
        """The compiler has a mistake: told once, and from now on graphql-core executes it."""
        if self.reason is None:
            self.reason = reason
            name = self.node.name.value if self.node.name else None
            log.error("graphql_compiler.failed", extra={"operation": name}, exc_info=fault)


class Ready:
    """An operation with its variables, to be executed any number of times, at the same time too."""

    __slots__ = ("_operation", "_plan", "_raw", "_values", "_variables")

    def __init__(
        self,
        operation: _Operation,
        plan: Plan | None,
        variables: dict[str, Any] | list[GraphQLError],
        raw: dict[str, Any],
        values: VariableValues | None = None,
    ) -> None:
        self._operation = operation
        self._plan = plan
        self._variables = variables
        self._raw = raw
        self._values = values

    @property
    def can_be_kept(self) -> bool:
        """Whether it stays what `find` would give: it is compiled, and nothing has gone wrong with it so far. Of no use to
        whoever changes the variables."""
        return self._plan is not None and self._operation.reason is None

    async def execute(self, root: Any = None, context: Any = None) -> Result | None:
        """The answer. `root`: a subscription's event, or the root value.

        None: by a mistake of the compiler there is no answer, and graphql-core has to execute it after all. Raises RuntimeError
        where a mutation has begun by then.
        """
        if isinstance(self._variables, list) or self._plan is None:
            assert isinstance(self._variables, list), "without a plan there are errors"
            return Result(None, self._variables, True)
        run = Run(self._plan, root, context, self._variables, self._raw, self._values)
        try:
            await self._plan.execute(run)
        except (Exception, CompilerFaultError) as fault:
            self._operation.give_up("the compiler failed when it was executed", fault)
            if run.has_begun and self._operation.node.operation is OperationType.MUTATION:
                raise RuntimeError("a mutation failed by a mistake of the compiler") from fault
            return None
        return Result(run.data, run.errors, False)


class CompiledOperations:
    """Compiles operations of one schema.

    `size`: operations kept. `compile_at`: at which use an operation is compiled, so that documents that come once cost nothing.
    `hide_suggestions`: whether messages leave out what may have been meant.
    """

    def __init__(
        self,
        schema: Schema | GraphQLSchema,
        *,
        size: int = 1_000,
        compile_at: int = 3,
        hide_suggestions: bool = False,
    ) -> None:
        self._schema: Schema = schema._strawberry_schema if isinstance(schema, GraphQLSchema) else schema  # type: ignore[attr-defined]
        self._size = size
        self._compile_at = compile_at
        self._hide_suggestions = hide_suggestions
        self._uses: OrderedDict[Hashable, int] = OrderedDict()
        self._values = 0
        self._operations: OrderedDict[Hashable, _Operation] = OrderedDict()

    def find(
        self,
        document_key: Hashable,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: dict[str, Any] | None = None,
    ) -> Ready | None:
        """The operation, ready to be executed; None: it is graphql-core's to execute.

        `document_key` stands for the document, which must be valid.
        """
        key = (document_key, operation.name.value if operation.name else None)
        known = self._operations.get(key)
        if known is None:
            if not self._is_due(key):
                return None
            known = self._keep(key, self._prepare(document, operation))
        else:
            self._operations.move_to_end(key)
        if known.reason is not None:
            return None
        raw = variables or {}
        coerced = known.variables.coerce(raw)
        if isinstance(coerced, list):
            return Ready(known, None, coerced, raw)
        values = None
        if isinstance(coerced, VariableValues):
            values, coerced = coerced, coerced.coerced
        conditions = tuple([coerced.get(name) for name in known.conditions])
        plan = known.plans.get(conditions)
        if plan is None:
            if known.plans and not self._is_due((key, conditions)):
                return None
            plan = self._compile(known, document, conditions)
            if plan is None:
                return None
        return Ready(known, plan, coerced, raw, values)

    def reason(self, document_key: Hashable, operation_name: str | None = None) -> str | None:
        """Why an operation is not compiled; None where it is, or is not known."""
        known = self._operations.get((document_key, operation_name))
        return known.reason if known is not None else None

    def _is_due(self, key: Hashable) -> bool:
        uses = self._uses.pop(key, 0) + 1
        if uses >= self._compile_at:
            return True
        self._uses[key] = uses
        if len(self._uses) > self._size:
            self._uses.popitem(last=False)
        return False

    def _keep(self, key: Hashable, operation: _Operation) -> _Operation:
        self._operations[key] = operation
        self._make_room()
        return operation

    def _make_room(self) -> None:
        while len(self._operations) > self._size or (self._values > MAX_VALUES and len(self._operations) > 1):
            _, oldest = self._operations.popitem(last=False)
            self._values -= sum(plan.size for plan in oldest.plans.values())

    def _prepare(self, document: DocumentNode, node: OperationDefinitionNode) -> _Operation:
        operation = _Operation(node, Variables(self._schema._schema, node, hide_suggestions=self._hide_suggestions))
        try:
            check_schema(self._schema)
            operation.conditions = condition_variables(document, node)
        except NotCompilableError as refusal:
            operation.reason = str(refusal)
        return operation

    def _compile(self, operation: _Operation, document: DocumentNode, conditions: tuple[Any, ...]) -> Plan | None:
        if not all(isinstance(value, bool) for value in conditions) or len(operation.plans) >= MAX_VARIANTS:
            return None
        try:
            plan = Plan(
                self._schema,
                document,
                operation.node,
                dict(zip(operation.conditions, conditions, strict=True)),
                hide_suggestions=self._hide_suggestions,
            )
        except NotCompilableError as refusal:
            operation.reason = str(refusal)
            return None
        except Exception as fault:
            operation.give_up("the compiler failed", fault)
            return None
        operation.plans[conditions] = plan
        self._values += plan.size
        self._make_room()
        return plan
