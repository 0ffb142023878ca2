"""How GraphQL types and domain records find each other.

Resolvers return records. A type that implements an interface must recognise its record, or graphql-core cannot tell which
type a value has; plain fields must exist on the record by name (a test walks the schema for both).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from strawberry.types.base import StrawberryObjectDefinition

T = TypeVar("T", bound=type)


def represents(*record_classes: type) -> Callable[[T], T]:
    """Marks a Strawberry type as the public face of these record classes."""

    def mark(graphql_type: T) -> T:
        definition: StrawberryObjectDefinition = graphql_type.__strawberry_definition__  # type: ignore[attr-defined]

        def is_type_of(value: Any, _info: Any) -> bool:
            return isinstance(value, record_classes)

        is_type_of.by_class = True  # type: ignore[attr-defined]  # so that the compiler asks once a class
        definition.is_type_of = is_type_of
        graphql_type.__tidings_records__ = record_classes  # type: ignore[attr-defined]
        return graphql_type

    return mark
