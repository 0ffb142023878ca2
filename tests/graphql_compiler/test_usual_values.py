"""Usual input values are coerced as graphql-core coerces them; all others are left to it."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLSchema,
    Undefined,
    is_list_type,
    is_non_null_type,
    parse,
)
from graphql.execution.values import VariableValues, get_variable_values
from graphql.utilities import coerce_input_value

from graphql_compiler import CompiledOperations
from graphql_compiler.usual_values import ODD, find_coercion
from graphql_compiler.variables import Variables
from schema.build import graphql_core_schema
from tests.graphql_compiler.compare import check_same, find_operation
from tests.graphql_compiler.test_inputs import OTHER

CORES = [graphql_core_schema(), OTHER._schema]
_ODD_VALUES = [None, 5, 5.5, 2**31, -(2**31) - 1, True, "text", "PUBLIC", "", [], {}, ["text"], [None], {"text": "x"}, 1e400]


def json_of(type_: Any, chance: Random, oddity: float) -> Any:
    """As a client sends it: mostly what the type wants."""
    if chance.random() < oddity:
        return chance.choice(_ODD_VALUES)
    if is_non_null_type(type_):
        type_ = type_.of_type
    elif chance.random() < 0.1:
        return None
    if is_list_type(type_):
        return [json_of(type_.of_type, chance, oddity) for _ in range(chance.randrange(4))]
    if isinstance(type_, GraphQLEnumType):
        return chance.choice(list(type_.values))
    if isinstance(type_, GraphQLInputObjectType):
        made = {
            name: json_of(field.type, chance, oddity)
            for name, field in type_.fields.items()
            if is_non_null_type(field.type) or chance.random() < 0.7
        }
        if chance.random() < oddity:
            made["another"] = 1
        if made and chance.random() < oddity:
            del made[chance.choice(list(made))]
        return made
    return {"Int": 7, "Float": 0.5, "Boolean": False}.get(type_.name, "some text")


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same classes all through."""
    if one.__class__ is not other.__class__:
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


@pytest.mark.parametrize("core", CORES)
def test_the_same_as_graphql_core(core: GraphQLSchema) -> None:
    chance, usual, odd = Random(2), 0, 0
    for type_ in core.type_map.values():
        if not isinstance(type_, GraphQLInputObjectType):
            continue
        coerce = find_coercion(type_)
        if coerce is None:
            continue
        for round_ in range(400):
            value = json_of(type_, chance, 0.1 if round_ % 2 else 0.0)
            if value is None:
                continue
            made, expected = coerce(value), coerce_input_value(value, type_)
            if made is ODD:
                odd += 1
            else:
                usual += 1
                assert same(made, expected), (type_, value, made, expected)
    assert usual > 200
    assert odd > 20


def test_what_is_wrong_is_never_usual() -> None:
    """Said once more by hand, so that a generator that draws nothing wrong is noticed."""
    coerce = find_coercion(CORES[0].type_map["CreatePostInput"])
    assert coerce is not None
    good = {"text": "x", "visibility": "FRIENDS", "mediaIds": ["a"], "location": {"name": "here", "latitude": 1.5}}
    assert coerce(good) is not ODD
    for wrong in (
        {**good, "text": None},
        {**good, "text": 5},
        {**good, "visibility": "NOBODY"},
        {**good, "mediaIds": [None]},
        {**good, "mediaIds": "a"},
        {**good, "location": {}},
        {**good, "location": {"name": "here", "latitude": float("inf")}},
        {**good, "other": 1},
        {key: value for key, value in good.items() if key != "text"},
        [good],
        "text",
        5,
    ):
        assert coerce(wrong) is ODD, wrong


def test_a_type_is_looked_at_once() -> None:
    types: list[Any] = [GraphQLInputObjectType("Last", {"n": GraphQLInputField(GraphQLInt)})]
    for number in range(40):
        types.append(GraphQLInputObjectType(f"T{number}", {f"f{n}": GraphQLInputField(types[-1]) for n in range(5)}))
    coerce = find_coercion(types[-1])
    assert coerce is not None
    assert coerce({"f3": {"f1": {}}}) == {"f3": {"f1": {}}}


def test_endless_types_have_an_end() -> None:
    assert find_coercion(OTHER._schema.type_map["Endless"]) is None


@pytest.mark.parametrize("core", CORES)
def test_variables_of_an_operation(core: GraphQLSchema) -> None:
    chance, quick = Random(3), 0
    for type_ in core.type_map.values():
        if not isinstance(type_, GraphQLInputObjectType):
            continue
        for wanted in (f"{type_.name}", f"{type_.name}!", f"[{type_.name}!]"):
            operation = find_operation(parse(f"query($it: {wanted}, $n: Int = 3) {{ __typename }}"))
            variables = Variables(core, operation, hide_suggestions=False)
            declared: Any = type_
            for round_ in range(30):
                value = json_of(declared, chance, 0.1 if round_ % 2 else 0.0)
                raw = {} if chance.random() < 0.1 else {"it": [value] if wanted[0] == "[" else value}
                made, expected = variables.coerce(raw), get_variable_values(core, operation.variable_definitions or (), raw)
                if isinstance(made, dict):
                    quick += 1
                    assert isinstance(expected, VariableValues)
                    assert same(made, expected.coerced), (raw, made, expected.coerced)
                elif isinstance(made, VariableValues):
                    assert isinstance(expected, VariableValues)
                    assert same(made.coerced, expected.coerced)
                else:
                    assert isinstance(expected, list)
                    assert [each.message for each in made] == [each.message for each in expected]
    assert quick > 50


@strawberry.input
class Size:
    width: int = 3
    names: list[str | None] | None = strawberry.UNSET
    unit: str | None = None


@strawberry.type
class Query:
    @strawberry.field
    def told(self, size: Size, more: list[Size] | None = strawberry.UNSET, note: str = "none", last: Size | None = None) -> str:
        names = size.names
        if isinstance(names, list):
            # Its own: nobody else sees this.
            names.append("changed")
        return f"{size} {more!r} {note} {last}"


SCHEMA = strawberry.Schema(Query)
_DOCUMENTS = [
    "query($a: Size!, $b: [Size!], $c: String! = \"x\", $d: Size) { told(size: $a, more: $b, note: $c, last: $d) "
    "two: told(size: $a) }",
    "query($a: Size!) { told(size: $a, more: [{ width: 4 }, $a]) }",
    "query($a: Size = { width: 9, names: [\"q\"] }) { told(size: $a) }",
    "query($a: Size!, $n: Int!) { told(size: { width: $n, names: [\"v\"] }, last: $a) }",
]  # fmt: skip


@pytest.mark.parametrize("document", _DOCUMENTS)
async def test_resolvers_are_given_the_same(document: str) -> None:
    chance, operations = Random(4), CompiledOperations(SCHEMA, compile_at=1)
    size = SCHEMA._schema.type_map["Size"]
    for round_ in range(60):
        oddity = 0.1 if round_ % 2 else 0.0
        variables: dict[str, Any] = {"a": json_of(size, chance, oddity)}
        if "$b" in document and chance.random() < 0.5:
            variables["b"] = chance.choice([None, [], [json_of(size, chance, oddity)]])
        if "$d" in document and chance.random() < 0.5:
            variables["d"] = chance.choice([None, json_of(size, chance, oddity)])
        if "$n" in document:
            variables["n"] = chance.choice([1, 2, "three"])
        if chance.random() < 0.1:
            variables.pop("a")
        await check_same(SCHEMA, document, make_root=lambda: None, variables=variables, operations=operations, rounds=2)


def test_a_default_that_is_a_list() -> None:
    coerce = find_coercion(CORES[0].type_map["CreatePostInput"])
    assert coerce is not None
    made = coerce({"text": "x"})
    assert made["mediaIds"] == []
    assert "location" not in made
    assert Undefined not in made.values()
