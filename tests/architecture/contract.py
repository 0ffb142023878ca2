"""Compares a schema with the public contract, member by member."""

from __future__ import annotations

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    print_ast,
)
from graphql.utilities import ast_from_value


def members(schema: GraphQLSchema) -> dict[str, str]:
    """Every type, field, argument, input field and enum value with its type and default: `Type.field(arg)` → `Int = 20`."""
    found: dict[str, str] = {}
    for name, kind in schema.type_map.items():
        if name.startswith("__"):
            continue
        found[name] = type(kind).__name__
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for interface in kind.interfaces:
                found[f"{name} implements {interface.name}"] = ""
            for field_name, field in kind.fields.items():
                found[f"{name}.{field_name}"] = str(field.type)
                for argument_name, argument in field.args.items():
                    found[f"{name}.{field_name}({argument_name})"] = _input(argument)
        elif isinstance(kind, GraphQLInputObjectType):
            for field_name, input_field in kind.fields.items():
                found[f"{name}.{field_name}"] = _input(input_field)
        elif isinstance(kind, GraphQLEnumType):
            for value in kind.values:
                found[f"{name}.{value}"] = ""
    return found


def _input(argument: object) -> str:
    type_, default = argument.type, argument.default  # type: ignore[attr-defined]
    text = str(type_)
    if default is None:
        return text
    literal = default.literal if default.literal is not None else ast_from_value(default.value, type_)
    return f"{text} = {print_ast(literal)}" if literal is not None else text
