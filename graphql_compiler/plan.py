"""A compiled operation."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLAbstractType,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    default_type_resolver,
)
from orjson import Fragment, dumps
from strawberry.schema import Schema
from strawberry.types.base import StrawberryObjectDefinition

from graphql_compiler.analyse import Analysis
from graphql_compiler.answers import Call, Typename
from graphql_compiler.drain import drain, only_coroutine, wait_alone
from graphql_compiler.generate import generate_body, generate_root, generate_serial, generate_value
from graphql_compiler.protocol import BY_CLASS_ATTRIBUTE
from graphql_compiler.run import Run, forget
from graphql_compiler.shape import Field, ObjectBody, Position, walk

_OF_STRAWBERRY = ("GraphQLCoreConverter.from_interface.", "StrawberryUnion.get_type_resolver.")

_ALL_AT_ONCE = (None,)
"""How the fields of a query are begun; those of a mutation one after the other."""
_MAX_CONSTANT = 16
_constant: deque[Plan] = deque()
"""Plans that keep their answers."""


def _is_constant(field: Field) -> bool:
    """Whether its answer is the schema's own, whoever asks."""
    if any(isinstance(argument.value, VariableNode) for node in field.nodes for argument in node.arguments or ()):
        return False
    return isinstance(field.answer, Typename) or (isinstance(field.answer, Call) and field.answer.is_native)


class Plan:
    """The functions that answer one operation, for one set of values of the variables that `@include` and `@skip` hang on.

    `size`: the values that can stand in the answer, each worth about 2 kB of memory. `is_batched`: below the root, nobody but
    the compiler asks loaders for anything.
    """

    def __init__(
        self,
        schema: Schema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        conditions: Mapping[str, bool],
        *,
        hide_suggestions: bool,
    ) -> None:
        """Raises NotCompilableError."""
        analysis = Analysis(schema, document, operation, conditions, hide_suggestions=hide_suggestions)
        fields = analysis.root_fields()
        self.schema = schema._schema
        self.operation = operation
        self.fragment_definitions = analysis.fragment_definitions
        self.info_class = schema.config.info_class
        self._values: dict[tuple[Position, bool], Callable[..., Any]] = {}
        self._bodies: dict[tuple[Position, str], ObjectBody] = {}
        self._by_class: dict[Position, bool] = {}
        self._serial: list[Callable[..., Any]] | None = None
        if operation.operation is OperationType.MUTATION:
            self._serial = [generate_serial(field) for field in fields]
        else:
            self._root = generate_root(fields)
        self.size = analysis.count
        self.is_batched = self._serial is None
        for field in walk(fields):
            if isinstance(field.answer, Call) and field.value.parent is not None:
                self.is_batched = False
        self._is_constant = self._serial is None and all(map(_is_constant, walk(fields)))
        self._constant: dict[str, Any] | None = None

    async def execute(self, run: Run) -> None:
        """Fills the run's data and errors. Raises only what graphql-core would raise too, such as CancelledError."""
        if self._constant is not None:
            run.data = self._constant
            return
        try:
            run.data = {}
            for put_field in _ALL_AT_ONCE if self._serial is None else self._serial:
                if put_field is None:
                    run.data = self._root(run, run.root)
                else:
                    put_field(run, run.root, run.data)
                if run.pending or run.late:
                    only = only_coroutine(run)
                    if only is not None:
                        await wait_alone(run, only)
                    if run.pending or run.late:
                        await drain(run)
                if run.data is None:
                    return
            if self._is_constant and not run.errors:
                self._keep(run.data)
        finally:
            if run.late:
                forget(each[2] for each in run.late)
            # They know the run: that would be a cycle, left to the garbage collector with all of the answer.
            run.infos.clear()

    def _keep(self, data: dict[str, Any]) -> None:
        """An answer about the schema alone, for all time: one of a few that are kept in a process, since they are long."""
        try:
            self._constant = {name: Fragment(dumps(value)) for name, value in data.items()}
        except TypeError:
            # What orjson cannot write is written each time.
            self._is_constant = False
            return
        _constant.append(self)
        if len(_constant) > _MAX_CONSTANT:
            _constant.popleft()._constant = None

    def value(self, position: Position, is_resolved: bool) -> Callable[..., Any]:
        """What completes one value."""
        key = (position, is_resolved)
        made = self._values.get(key)
        if made is None:
            made = self._values[key] = generate_value(position, is_resolved=is_resolved)
        return made

    def body(self, position: Position, type_name: str) -> ObjectBody:
        """What completes an object of an abstract type."""
        key = (position, type_name)
        made = self._bodies.get(key)
        if made is None:
            made = self._bodies[key] = generate_body(position, type_name)
        return made

    def is_kind_by_class(self, position: Position, value_class: type) -> bool:
        """Whether all instances of a class are of the same runtime type."""
        if position not in self._by_class:
            self._by_class[position] = self._is_type_by_class(position.type)
        if not self._by_class[position]:
            return False
        # Marks on the instance (`strawberry.cast`, a `__typename`) need a place to be in; generics look at the values.
        definition = getattr(value_class, "__strawberry_definition__", None)
        is_generic = isinstance(definition, StrawberryObjectDefinition) and definition.is_graphql_generic
        return value_class.__dictoffset__ == 0 and not is_generic and not issubclass(value_class, Mapping)

    def _is_type_by_class(self, type_: Any) -> bool:
        abstract: GraphQLAbstractType = type_
        resolve_type = abstract.resolve_type
        is_known = resolve_type in {None, default_type_resolver} or getattr(resolve_type, "__qualname__", "").startswith(
            _OF_STRAWBERRY
        )
        return is_known and all(
            each.is_type_of is None or getattr(each.is_type_of, BY_CLASS_ATTRIBUTE, False)
            for each in self.schema.get_possible_types(abstract)
        )
