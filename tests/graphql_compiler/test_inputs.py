"""Input values are converted as Strawberry does it."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    Undefined,
    is_list_type,
    is_non_null_type,
)
from strawberry.types.arguments import StrawberryArgument, convert_arguments
from strawberry.types.field import StrawberryField

from graphql_compiler.inputs import NotConvertedError, find_converter
from schema.build import graphql_core_schema

OURS = graphql_core_schema()._strawberry_schema  # type: ignore[attr-defined]


@strawberry.input
class Inner:
    number: int | None = strawberry.UNSET
    words: list[str | None] | None = None


@strawberry.input
class Outer:
    inner: Inner
    many: list[Inner | None] = strawberry.field(default_factory=list)
    deep: list[list[Inner]] | None = strawberry.UNSET
    renamed: int = strawberry.field(name="other", default=3)
    left: str | None


@strawberry.input
class Endless:
    next: Endless | None = None


@strawberry.type
class Query:
    @strawberry.field
    def plain(self, outer: Outer, list_of: list[Outer] | None = None, number: int = 4) -> int:
        return 0

    @strawberry.field
    def endless(self, at: Endless | None = None) -> int:
        return 0

    @strawberry.field
    def maybe(self, at: strawberry.Maybe[int | None]) -> int:
        return 0


OTHER = strawberry.Schema(Query)


def fields_of(schema: strawberry.Schema) -> Iterator[tuple[str, list[StrawberryArgument], dict[str, Any]]]:
    core = schema._schema
    for root in (core.query_type, core.mutation_type):
        for name, definition in (root.fields if root is not None else {}).items():
            field = definition.extensions["strawberry-definition"]
            assert isinstance(field, StrawberryField)
            if field.arguments:
                yield name, field.arguments, definition.args


def value_of(type_: Any, chance: Random) -> Any:
    """As graphql-core coerces: by the names of the schema, enums as their values."""
    if is_non_null_type(type_):
        value = value_of(type_.of_type, chance)
        while value is None:
            value = value_of(type_.of_type, chance)
        return value
    if chance.random() < 0.2:
        return None
    if is_list_type(type_):
        return [value_of(type_.of_type, chance) for _ in range(chance.randrange(4))]
    if isinstance(type_, GraphQLInputObjectType):
        return {
            name: value_of(field.type, chance)
            for name, field in type_.fields.items()
            if (is_non_null_type(field.type) and field.default_value is Undefined) or chance.random() < 0.7
        }
    if isinstance(type_, GraphQLEnumType):
        return chance.choice([each.value for each in type_.values.values()])
    return chance.choice(["text", 7, True, 0.5])


@pytest.mark.parametrize("schema", [OURS, OTHER])
def test_values_are_what_strawberry_makes_of_them(schema: strawberry.Schema) -> None:
    chance, registry, config = Random(1), schema.schema_converter.scalar_registry, schema.config
    converted = 0
    for name, arguments, definitions in fields_of(schema):
        if name in {"endless", "maybe"}:
            continue
        for _ in range(50):
            values = {key: value_of(each.type, chance) for key, each in definitions.items() if chance.random() < 0.9}
            expected = convert_arguments(values, arguments, registry, config)
            made = {}
            for argument in arguments:
                key = config.name_converter.from_argument(argument)
                if key in values:
                    assert argument.python_name
                    made[argument.python_name] = find_converter(argument.type, registry, config)(values[key])
            assert made == expected
            assert [type(value) for value in made.values()] == [type(value) for value in expected.values()]
            converted += 1
    assert converted >= 50


@pytest.mark.parametrize("name", ["endless", "maybe"])
def test_what_looks_further_is_strawberrys(name: str) -> None:
    [arguments] = [arguments for each, arguments, _ in fields_of(OTHER) if each == name]
    with pytest.raises(NotConvertedError):
        find_converter(arguments[0].type, OTHER.schema_converter.scalar_registry, OTHER.config)


def test_a_default_is_nobodys_own() -> None:
    [arguments] = [arguments for each, arguments, _ in fields_of(OTHER) if each == "plain"]
    convert = find_converter(arguments[0].type, OTHER.schema_converter.scalar_registry, OTHER.config)
    words = ["a", None]
    made = convert({"inner": {"words": words}})
    assert made.inner.words == words
    assert made.inner.words is not words
