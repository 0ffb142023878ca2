"""Input values coerced as graphql-core does, as long as they are as usual: JSON of the very kind that the schema says.

graphql-core asks of each value anew of which kind its type is. Here that is found out once; whatever is not as usual (also what
is wrong, so that there is one who says what) is left to it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any, TypeAlias

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLString,
    Undefined,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
)
from graphql.utilities.coerce_input_value import coerce_default_value

ODD = object()
"""What a coercion gives for a value that is not as usual."""
_MISSING = object()

Coercion: TypeAlias = Callable[[Any], Any]
"""From a value that is not null."""


def find_coercion(type_: Any, known: dict[Any, Coercion | None] | None = None) -> Coercion | None:
    """What coerces usual values of a type, null apart; None where there are none, or where the type is within itself.

    `known`: of input objects that were looked at before, None while they are.
    """
    known = {} if known is None else known
    if is_non_null_type(type_):
        type_ = type_.of_type
    for built_in, coercion in _BUILT_IN:
        if type_ is built_in:
            return coercion
    if isinstance(type_, GraphQLEnumType):
        return _member_of(type_)
    if is_list_type(type_):
        item = find_coercion(type_.of_type, known)
        return None if item is None else _each(item, is_nullable=not is_non_null_type(type_.of_type))
    if is_input_object_type(type_) and type_ not in known:
        known[type_] = None
        known[type_] = _object(type_, known)
    return known.get(type_)


def _text(value: Any) -> Any:
    return value if value.__class__ is str else ODD


def _boolean(value: Any) -> Any:
    return value if value.__class__ is bool else ODD


def _whole(value: Any) -> Any:
    return value if value.__class__ is int and -2147483648 <= value <= 2147483647 else ODD


def _finite(value: Any) -> Any:
    return value if value.__class__ is float and isfinite(value) else ODD


_BUILT_IN: list[tuple[Any, Coercion]] = [
    (GraphQLString, _text),
    (GraphQLID, _text),
    (GraphQLBoolean, _boolean),
    (GraphQLInt, _whole),
    (GraphQLFloat, _finite),
]


def _member_of(type_: GraphQLEnumType) -> Coercion:
    members = {name: type_.coerce_input_value(name) for name in type_.values}
    return lambda value: members.get(value, ODD) if value.__class__ is str else ODD


def _each(item: Coercion, *, is_nullable: bool) -> Coercion:
    def coerce(value: Any) -> Any:
        if value.__class__ is not list:
            return ODD
        made = []
        for each in value:
            if each is not None:
                each = item(each)
                if each is ODD:
                    return ODD
            elif not is_nullable:
                return ODD
            made.append(each)
        return made

    return coerce


def _object(type_: GraphQLInputObjectType, known: dict[Any, Coercion | None]) -> Coercion | None:
    if type_.is_one_of or type_.out_type is not GraphQLInputObjectType.out_type:
        return None
    fields = []
    for name, field in type_.fields.items():
        coerce = find_coercion(field.type, known)
        if coerce is None:
            return None
        try:
            # One and the same for all requests, as graphql-core has it.
            default = coerce_default_value(field)
        except TypeError:
            return None
        is_required = is_required_input_field(field)
        fields.append((name, field.out_name or name, coerce, is_non_null_type(field.type), is_required, default))

    def coerce_object(value: Any) -> Any:
        if value.__class__ is not dict:
            return ODD
        made = {}
        count = 0
        for name, out_name, coerce, is_non_null, is_required, default in fields:
            given = value.get(name, _MISSING)
            if given is _MISSING:
                if is_required:
                    return ODD
                if default is not Undefined:
                    made[out_name] = default
                continue
            count += 1
            if given is not None:
                given = coerce(given)
                if given is ODD:
                    return ODD
            elif is_non_null:
                return ODD
            made[out_name] = given
        return made if count == len(value) else ODD

    return coerce_object
