"""Arguments of one field in one document, converted as Strawberry does."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    Undefined,
    VariableNode,
    is_non_null_type,
    is_required_argument,
    specified_scalar_types,
)
from graphql.execution import get_argument_values
from graphql.execution.values import maybe_use_default_value
from graphql.utilities import coerce_input_literal
from strawberry.relay.types import GlobalID
from strawberry.schema import Schema
from strawberry.types.arguments import StrawberryArgument, convert_arguments
from strawberry.types.base import StrawberryMaybe, StrawberryOptional
from strawberry.types.field import StrawberryField

from graphql_compiler.info import make_info
from graphql_compiler.inputs import Converter, NotConvertedError, find_converter

if TYPE_CHECKING:
    from graphql_compiler.failures import Place
    from graphql_compiler.run import Run
    from graphql_compiler.shape import Position

_MISSING = object()


class _NotPlainError(Exception):
    """An argument that graphql-core and Strawberry must convert at each call."""


class Arguments:
    """The keyword arguments of a resolver.

    Where all of them are built-in scalars or enums, as literals or variables, they are put together here, once a run: such
    values cannot be changed by whoever gets them. So they are, at every call, where all others are whole variables; where one
    is none, or is left out, all go through graphql-core and Strawberry at every call.
    """

    def __init__(
        self, schema: Schema, definition: GraphQLField, node: FieldNode, field: StrawberryField, *, hide_suggestions: bool
    ) -> None:
        self._definition = definition
        self._node = node
        self._field = field
        self._config = schema.config
        self._scalar_registry = schema.schema_converter.scalar_registry
        self._hide_suggestions = hide_suggestions
        self._constants: dict[str, Any] = {}
        self._variables: list[tuple[str, str, Any, bool]] = []
        self._converted: list[tuple[str, Converter]] = []
        self._converters: list[tuple[str, str, Converter]] | None = None
        try:
            self._prepare()
            self._is_plain = True
        except (_NotPlainError, NotConvertedError):
            self._is_plain = False
            with suppress(NotConvertedError):
                self._converters = [self._converter(argument) for argument in field.arguments]

    def of(self, run: Run, position: Position, place: Place) -> dict[str, Any]:
        """The arguments in this run. Raises GraphQLError, or what Strawberry raises for an input that it cannot convert."""
        known = run.arguments.get(self)
        if known is not None:
            return known
        if self._is_plain:
            plain = self._put_together(run.variables)
            if plain is not None:
                if not self._converted:
                    run.arguments[self] = plain
                return plain
        return self._convert(run, position, place)

    def _put_together(self, variables: dict[str, Any]) -> dict[str, Any] | None:
        found = dict(self._constants)
        for python_name, variable, default, is_non_null in self._variables:
            value = variables.get(variable, _MISSING)
            if value is _MISSING:
                value = default
            if value is None and is_non_null:
                return None
            if value is not _MISSING:
                found[python_name] = value
            elif is_non_null:
                return None
        for python_name, convert in self._converted:
            if python_name in found:
                found[python_name] = convert(found[python_name])
        return found

    def _convert(self, run: Run, position: Position, place: Place) -> dict[str, Any]:
        values = get_argument_values(self._definition, self._node, run.variable_values, hide_suggestions=self._hide_suggestions)
        if self._converters is not None:
            return {python_name: convert(values[name]) for name, python_name, convert in self._converters if name in values}
        return convert_arguments(
            values,
            self._field.arguments,
            scalar_registry=self._scalar_registry,
            config=self._config,
            info=make_info(run, position, place),
        )

    def _converter(self, argument: StrawberryArgument) -> tuple[str, str, Converter]:
        assert argument.python_name, "Strawberry names its arguments"
        name = self._config.name_converter.from_argument(argument)
        return name, argument.python_name, find_converter(argument.type, self._scalar_registry, self._config)

    def _prepare(self) -> None:
        given = {argument.name.value: argument.value for argument in self._node.arguments or ()}
        for argument in self._field.arguments:
            name = self._config.name_converter.from_argument(argument)
            definition = self._definition.args.get(name)
            if definition is None:
                raise _NotPlainError
            assert argument.python_name, "Strawberry names its arguments"
            value_node = given.get(name)
            if not _is_plain(argument, definition):
                if not isinstance(value_node, VariableNode):
                    raise _NotPlainError
                self._converted.append(self._converter(argument)[1:])
            if isinstance(value_node, VariableNode):
                default = _MISSING if is_required_argument(definition) else _default(definition)
                is_non_null = is_non_null_type(definition.type)
                self._variables.append((argument.python_name, value_node.name.value, default, is_non_null))
                continue
            if value_node is not None:
                value = coerce_input_literal(value_node, definition.type)
                if value is Undefined:
                    raise _NotPlainError
            elif is_required_argument(definition):
                raise _NotPlainError
            else:
                value = _default(definition)
            if value is not _MISSING:
                self._constants[argument.python_name] = value


class NativeArguments:
    """The arguments of a field that graphql-core answers itself, put together once a run."""

    def __init__(self, definition: GraphQLField, node: FieldNode, *, hide_suggestions: bool) -> None:
        self._definition = definition
        self._node = node
        self._hide_suggestions = hide_suggestions

    def of(self, run: Run, _position: Position, _place: Place) -> dict[str, Any]:
        """The arguments in this run. Raises GraphQLError."""
        known = run.arguments.get(self)
        if known is None:
            known = run.arguments[self] = get_argument_values(
                self._definition, self._node, run.variable_values, hide_suggestions=self._hide_suggestions
            )
        return known


def _is_plain(argument: StrawberryArgument, definition: GraphQLArgument) -> bool:
    type_ = definition.type
    if is_non_null_type(type_):
        type_ = type_.of_type
    if not (isinstance(type_, GraphQLEnumType) or any(type_ is each for each in specified_scalar_types.values())):
        return False
    python_type = argument.type
    if isinstance(python_type, StrawberryOptional) and not isinstance(python_type, StrawberryMaybe):
        python_type = python_type.of_type
    return not isinstance(python_type, StrawberryMaybe) and python_type is not GlobalID


def _default(definition: GraphQLArgument) -> Any:
    values: dict[str, Any] = {}

    def fail(*_: object) -> None:
        raise _NotPlainError

    maybe_use_default_value(values, "it", definition, fail)
    return values.get("it", _MISSING)
