"""Tests in generated code that tell leaf values which need no conversion."""

from __future__ import annotations

import enum
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLOutputType,
    GraphQLString,
)

_ODD = {
    GraphQLString: "{0}.__class__ is not str",
    GraphQLID: "{0}.__class__ is not str",
    GraphQLInt: "({0}.__class__ is not int or not -2147483648 <= {0} <= 2147483647)",
    # Infinities and NaN minus themselves are NaN.
    GraphQLFloat: "({0}.__class__ is not float or {0} - {0} != 0.0)",
    GraphQLBoolean: "{0} is not True and {0} is not False",
}


def odd_value_test(type_: GraphQLOutputType, variable: str) -> str | None:
    """An expression that is true for values that are not written as they are. None: there is none for this type.

    By identity: a schema may have a scalar of its own under a built-in name.
    """
    for built_in, text in _ODD.items():
        if type_ is built_in:
            return text.format(variable)
    return None


def enum_names(type_: GraphQLOutputType) -> tuple[type, dict[str, str]] | None:
    """A Python enum and the public names by its members' names. None: not every member has one, or it is no Strawberry enum."""
    wrapped: Any = getattr(type_, "wrapped_cls", None)
    if not isinstance(type_, GraphQLEnumType) or not isinstance(wrapped, type):
        return None
    if not issubclass(wrapped, enum.Enum) or issubclass(wrapped, enum.Flag):
        return None
    try:
        return wrapped, {member._name_: type_.coerce_output_value(member) for member in wrapped}
    except Exception:
        return None
