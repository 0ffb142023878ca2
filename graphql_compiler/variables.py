"""Variables of an operation, coerced as graphql-core does."""

from __future__ import annotations

from typing import Any, NamedTuple

from graphql import (
    GraphQLBoolean,
    GraphQLError,
    GraphQLID,
    GraphQLInt,
    GraphQLNamedType,
    GraphQLSchema,
    GraphQLString,
    NonNullTypeNode,
    OperationDefinitionNode,
    VariableDefinitionNode,
    is_non_null_type,
)
from graphql.execution.values import VariableValues, get_variable_values
from graphql.utilities import type_from_ast

from graphql_compiler.usual_values import ODD, Coercion, find_coercion

_MISSING = object()
_CLASSES: list[tuple[GraphQLNamedType, type]] = [
    (GraphQLString, str),
    (GraphQLID, str),
    (GraphQLBoolean, bool),
    (GraphQLInt, int),
]


class _Plain(NamedTuple):
    """A variable: the class of its usual values (of a built-in scalar) or what coerces them, whether it may be null, and what
    it is if left out."""

    name: str
    usual: Any
    coerce: Coercion | None
    is_nullable: bool
    default: Any


class Variables:
    """Coerces what a request brings. Usual values are told at a glance; the rest is graphql-core's."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode, *, hide_suggestions: bool) -> None:
        self._schema = schema
        self._definitions = operation.variable_definitions or ()
        self._hide_suggestions = hide_suggestions
        self._plain: list[_Plain] | None = []
        for definition in self._definitions:
            known = _plain(schema, definition)
            if known is None:
                self._plain = None
                break
            self._plain.append(known)

    def coerce(self, raw: dict[str, Any]) -> dict[str, Any] | VariableValues | list[GraphQLError]:
        """By name, or as graphql-core has them; or what is wrong with them."""
        if self._plain is not None:
            values = self._coerce_plain(self._plain, raw)
            if values is not None:
                return values
        return get_variable_values(self._schema, self._definitions, raw, max_errors=50, hide_suggestions=self._hide_suggestions)

    @staticmethod
    def _coerce_plain(plain: list[_Plain], raw: dict[str, Any]) -> dict[str, Any] | None:
        values = {}
        for name, class_, coerce, is_nullable, default in plain:
            value = raw.get(name, _MISSING)
            if value.__class__ is class_:
                if class_ is int and not -2147483648 <= value <= 2147483647:
                    return None
                values[name] = value
            elif coerce is not None and value is not _MISSING and value is not None:
                value = coerce(value)
                if value is ODD:
                    return None
                values[name] = value
            elif value is _MISSING and default is not _MISSING:
                values[name] = default
            elif not is_nullable:
                return None
            elif value is None:
                values[name] = None
            elif value is not _MISSING:
                return None
        return values


def _plain(schema: GraphQLSchema, definition: VariableDefinitionNode) -> _Plain | None:
    is_nullable = not isinstance(definition.type, NonNullTypeNode)
    type_ = type_from_ast(schema, definition.type)
    if is_non_null_type(type_):
        type_ = type_.of_type
    for built_in, class_ in _CLASSES:
        if type_ is built_in:
            name, default = definition.variable.name.value, _MISSING
            if definition.default_value is not None:
                coerced = get_variable_values(schema, [definition], {})
                if isinstance(coerced, list):
                    return None
                default = coerced.coerced[name]
            return _Plain(name, class_, None, is_nullable, default)
    coerce = find_coercion(type_) if definition.default_value is None else None
    return None if coerce is None else _Plain(definition.variable.name.value, None, coerce, is_nullable, _MISSING)
