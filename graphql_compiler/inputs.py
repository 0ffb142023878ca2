"""Input values from what graphql-core has coerced, as `strawberry.types.arguments.convert_argument` makes them.

Strawberry finds out anew for each value of which kind its type is, and what its fields are called. Here that is found out once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from typing import Any, TypeAlias

from strawberry.relay.types import GlobalID
from strawberry.scalars import is_scalar
from strawberry.schema.config import StrawberryConfig
from strawberry.types.base import StrawberryList, StrawberryMaybe, StrawberryOptional, has_object_definition
from strawberry.types.enum import StrawberryEnumDefinition, has_enum_definition
from strawberry.types.lazy_type import LazyType
from strawberry.types.unset import UNSET

from graphql_compiler.passing import passes_on

Converter: TypeAlias = Callable[[Any], Any]
"""From a coerced value, null or UNSET."""


class NotConvertedError(Exception):
    """A type whose values Strawberry must convert one by one: they can look at the request, or refuse."""


def find_converter(type_: Any, scalars: Mapping[object, Any], config: StrawberryConfig) -> Converter:
    """What converts values of a type. Raises NotConvertedError."""
    return _find(type_, scalars, config, ())


def _find(type_: Any, scalars: Mapping[object, Any], config: StrawberryConfig, around: tuple[Any, ...]) -> Converter:
    if isinstance(type_, StrawberryMaybe) or type_ is GlobalID or type_ in around:
        raise NotConvertedError
    if isinstance(type_, StrawberryOptional):
        return _find(type_.of_type, scalars, config, around)
    if isinstance(type_, LazyType):
        return _find(type_.resolve_type(), scalars, config, around)
    if isinstance(type_, StrawberryList):
        item = _find(type_.of_type, scalars, config, around)
        return _copied if item is _as_it_is else _each(item)
    if is_scalar(type_, scalars) or isinstance(type_, StrawberryEnumDefinition) or has_enum_definition(type_):
        return _as_it_is
    if has_object_definition(type_):
        return _object(type_, scalars, config, (*around, type_))
    raise NotConvertedError


def _as_it_is(value: Any) -> Any:
    return value


def _copied(value: Any) -> Any:
    # A default is the same list for every request.
    return value if value is None or value is UNSET else list(value)


def _each(item: Converter) -> Converter:
    def convert(value: Any) -> Any:
        return value if value is None or value is UNSET else [item(each) for each in value]

    return convert


def _object(type_: Any, scalars: Mapping[object, Any], config: StrawberryConfig, around: tuple[Any, ...]) -> Converter:
    definition = type_.__strawberry_definition__
    if definition.from_input is not None or not definition.is_input:
        raise NotConvertedError
    left_out = {
        field.python_name: None
        for field in definition.fields
        if field.default_value is MISSING and field.default_factory is MISSING
    }
    fields = [
        (
            config.name_converter.from_field(field),
            field.python_name,
            _find(field.resolve_type(type_definition=definition), scalars, config, around),
        )
        for field in definition.fields
    ]

    @passes_on
    def convert(value: Any) -> Any:
        if value is None or value is UNSET:
            return value
        given = dict(left_out)
        for name, python_name, converter in fields:
            if name in value:
                given[python_name] = converter(value[name])
        return type_(**given)

    return convert
