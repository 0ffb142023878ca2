"""The schema against the committed file, against the public contract, and against the records behind it."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    validate_schema,
)
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from schema.build import build_schema as build_strawberry_schema
from schema.build import graphql_core_schema, print_sdl
from schema.limits import PAGED
from tests.architecture.contract import members

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = ROOT.parent / "shared" / "contract" / "schema.graphql"
MISSING = Path(__file__).with_name("missing_from_contract.txt")


def _described() -> Iterator[tuple[str, str | None]]:
    for name, kind in graphql_core_schema().type_map.items():
        if name.startswith("__") or name in {"Int", "Float", "String", "Boolean", "ID"}:
            continue
        yield name, kind.description
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in kind.fields.items():
                yield f"{name}.{field_name}", field.description
                for argument_name, argument in field.args.items():
                    yield f"{name}.{field_name}({argument_name})", argument.description
        elif isinstance(kind, GraphQLInputObjectType):
            for field_name, input_field in kind.fields.items():
                yield f"{name}.{field_name}", input_field.description
        elif isinstance(kind, GraphQLEnumType):
            for value_name, value in kind.values.items():
                yield f"{name}.{value_name}", value.description


def _object_types() -> Iterator[StrawberryObjectDefinition]:
    converter = build_strawberry_schema().schema_converter
    for entry in converter.type_map.values():
        if isinstance(entry.definition, StrawberryObjectDefinition) and not entry.definition.is_input:
            yield entry.definition


def test_the_schema_is_valid() -> None:
    assert validate_schema(graphql_core_schema()) == []


def test_the_committed_schema_is_the_printed_one() -> None:
    committed = (ROOT / "schema" / "schema.graphql").read_text(encoding="utf-8")
    assert committed == print_sdl(), "run `make schema`"


def test_everything_is_described() -> None:
    assert [name for name, description in _described() if not description] == []


@pytest.mark.skipif(not CONTRACT.exists(), reason="the contract stands beside the checkout, which is not the case here")
def test_the_schema_keeps_the_contract() -> None:
    contract = members(build_schema(CONTRACT.read_text(encoding="utf-8")))
    ours = members(build_schema(print_sdl()))
    differing = {name: (expected, ours[name]) for name, expected in contract.items() if ours.get(name, expected) != expected}
    assert differing == {}
    missing = [name for name in contract if name not in ours]
    listed = MISSING.read_text(encoding="utf-8").split("\n")
    assert missing == [name for name in listed if name], "the list of what is missing only ever shrinks"


@pytest.mark.parametrize("definition", [*_object_types()], ids=lambda definition: definition.name)
def test_plain_fields_stand_on_the_record(definition: StrawberryObjectDefinition) -> None:
    records = getattr(definition.origin, "__tidings_records__", ())
    plain = [field for field in definition.fields if isinstance(field, StrawberryField) and field.base_resolver is None]
    for record in records:
        for field in plain:
            assert _has(record, field.python_name), f"{definition.name}.{field.python_name} is not on {record.__name__}"


@pytest.mark.parametrize("definition", [*_object_types()], ids=lambda definition: definition.name)
def test_types_of_an_interface_recognise_their_records(definition: StrawberryObjectDefinition) -> None:
    if definition.interfaces and not definition.is_interface:
        assert definition.is_type_of is not None, f"{definition.name} needs @represents"


def test_every_paged_list_counts_in_the_limits() -> None:
    paged = {
        name
        for kind in graphql_core_schema().type_map.values()
        if isinstance(kind, GraphQLObjectType)
        for name, field in kind.fields.items()
        if "first" in field.args
    }
    assert paged == PAGED


def _has(record: type, name: str) -> bool:
    names = {field.name for field in dataclasses.fields(record)} if dataclasses.is_dataclass(record) else set()
    names |= {*getattr(record, "_fields", ())}
    return name in names or isinstance(inspect.getattr_static(record, name, None), property)
