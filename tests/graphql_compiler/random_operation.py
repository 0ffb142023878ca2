"""Random valid operations over any schema: aliases, fragments, conditions, variables, merged fields."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    OverlappingFieldsCanBeMergedRule,
    PossibleFragmentSpreadsRule,
    VariablesInAllowedPositionRule,
    get_named_type,
    is_composite_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
    parse,
    validate,
)

# What the writer below cannot rule out; all rules together take longer than everything else.
_RULES = [OverlappingFieldsCanBeMergedRule, PossibleFragmentSpreadsRule, VariablesInAllowedPositionRule]
MAX_DEPTH = 5
MAX_FIELDS = 60


@dataclass(frozen=True, slots=True)
class RandomOperation:
    document: DocumentNode
    variables: dict[str, Any]
    text: str


class _Writer:
    def __init__(self, schema: GraphQLSchema, drawn: random.Random, strings: list[str], leave_out: frozenset[str]) -> None:
        self.schema = schema
        self.drawn = drawn
        self.strings = strings
        self.leave_out = leave_out
        self.fragments: dict[str, str] = {}
        self.variables: dict[str, tuple[str, Any, str]] = {}
        self.fields = 0

    def selection(self, type_: GraphQLNamedType, depth: int) -> str:
        drawn = self.drawn
        parts = []
        for _ in range(drawn.randrange(1, 5)):
            choice = drawn.randrange(12)
            if choice == 0:
                parts.append("__typename" if drawn.randrange(2) else f"kind{drawn.randrange(3)}: __typename")
            elif choice <= 2 and depth < MAX_DEPTH:
                parts.append(self.fragment(type_, depth))
            else:
                parts.append(self.one_field(type_, depth))
        parts = [part for part in parts if part] or ["__typename"]
        if drawn.randrange(6) == 0:
            parts.append(drawn.choice(parts))
        return "{ " + " ".join(parts) + " }"

    def fragment(self, type_: GraphQLNamedType, depth: int) -> str:
        inner: Any = type_
        if not isinstance(type_, GraphQLObjectType) and self.drawn.randrange(4):
            inner = self.drawn.choice(self.schema.get_possible_types(type_))  # type: ignore[arg-type]
        elif isinstance(type_, GraphQLObjectType) and type_.interfaces and self.drawn.randrange(3) == 0:
            inner = self.drawn.choice(type_.interfaces)
        body = self.selection(inner, depth)
        if self.drawn.randrange(2):
            condition = f" on {inner.name}" if inner is not type_ or self.drawn.randrange(2) else ""
            return f"...{condition}{self.condition()} {body}"
        name = f"F{len(self.fragments)}"
        self.fragments[name] = f"fragment {name} on {inner.name} {body}"
        return f"...{name}{self.condition()}"

    def one_field(self, type_: GraphQLNamedType, depth: int) -> str:
        named: dict[str, GraphQLField] = getattr(type_, "fields", {})
        candidates = [
            (name, definition)
            for name, definition in named.items()
            if name not in self.leave_out and (depth < MAX_DEPTH or not is_composite_type(get_named_type(definition.type)))
        ]
        if not candidates or self.fields >= MAX_FIELDS:
            return "__typename"
        self.fields += 1
        name, definition = self.drawn.choice(candidates)
        text = name + self.arguments(definition) + self.condition()
        # An alias of its own where fields of one name could differ.
        if "(" in text or self.drawn.randrange(4) == 0:
            text = f"a{self.fields}: {text}"
        inner = get_named_type(definition.type)
        if is_composite_type(inner):
            text += " " + self.selection(inner, depth + 1)
        return text

    def condition(self) -> str:
        if self.drawn.randrange(8):
            return ""
        name = self.drawn.choice(["include", "skip"])
        value = self.drawn.choice(["true", "false", "variable", "variable"])
        if value == "variable":
            variable = f"c{self.drawn.randrange(3)}"
            self.variables.setdefault(variable, ("Boolean!", bool(self.drawn.randrange(2)), ""))
            value = f"${variable}"
        return f" @{name}(if: {value})"

    def arguments(self, definition: GraphQLField) -> str:
        given = []
        for name, argument in definition.args.items():
            if not is_required_argument(argument) and self.drawn.randrange(2):
                continue
            given.append(f"{name}: {self.argument(argument.type)}")
        return f"({', '.join(given)})" if given else ""

    def argument(self, type_: GraphQLInputType) -> str:
        value = self.value(type_)
        if self.drawn.randrange(2):
            return self.literal(value, type_)
        name = f"v{len(self.variables)}"
        default = ""
        is_given = True
        if not is_non_null_type(type_) and self.drawn.randrange(3) == 0:
            default = f" = {self.literal(self.value(type_), type_)}"
        if not is_non_null_type(type_) and self.drawn.randrange(4) == 0:
            is_given = False
        self.variables[name] = (str(type_), value if is_given else ..., default)
        return f"${name}"

    def value(self, type_: GraphQLInputType, depth: int = 0) -> Any:
        drawn = self.drawn
        if is_non_null_type(type_):
            type_ = type_.of_type
        elif drawn.randrange(6) == 0 or depth > 3:
            return None
        if is_list_type(type_):
            return [self.value(type_.of_type, depth + 1) for _ in range(drawn.randrange(3))]
        if isinstance(type_, GraphQLInputObjectType):
            return {
                name: self.value(each.type, depth + 1)
                for name, each in type_.fields.items()
                if is_required_input_field(each) or drawn.randrange(2)
            }
        if isinstance(type_, GraphQLEnumType):
            return drawn.choice(list(type_.values))
        name = str(type_)
        if name == "Int":
            return drawn.choice([0, 1, 2, 5, 20])
        if name == "Float":
            return drawn.choice([0.5, 2, -1.0])
        if name == "Boolean":
            return bool(drawn.randrange(2))
        if name == "DateTime":
            return "2026-11-21T10:00:00Z"
        return drawn.choice(self.strings)

    def literal(self, value: Any, type_: GraphQLInputType) -> str:
        if is_non_null_type(type_):
            type_ = type_.of_type
        if value is None:
            return "null"
        if is_list_type(type_):
            return "[" + ", ".join(self.literal(each, type_.of_type) for each in value) + "]"
        if isinstance(type_, GraphQLInputObjectType):
            fields = type_.fields
            return "{" + ", ".join(f"{name}: {self.literal(each, fields[name].type)}" for name, each in value.items()) + "}"
        return str(value) if isinstance(type_, GraphQLEnumType) else json.dumps(value)


def make_operation(
    schema: GraphQLSchema,
    seed: str,
    *,
    kind: str = "query",
    strings: list[str] | None = None,
    leave_out: frozenset[str] = frozenset(),
) -> RandomOperation:
    """A valid operation. Now and then its variables do not fit."""
    drawn = random.Random(f"operation {seed}")
    root: Any = {"query": schema.query_type, "mutation": schema.mutation_type, "subscription": schema.subscription_type}[kind]
    while True:
        writer = _Writer(schema, drawn, strings or ["", "text", "é\n"], leave_out)
        body = writer.selection(root, 0)
        definitions = ", ".join(f"${name}: {type_}{default}" for name, (type_, _, default) in writer.variables.items())
        text = "\n".join([f"{kind} Q{f'({definitions})' if definitions else ''} {body}", *writer.fragments.values()])
        document = parse(text)
        if not validate(schema, document, _RULES, max_errors=1):
            break
    variables = {name: value for name, (_, value, _) in writer.variables.items() if value is not ...}
    if variables and drawn.randrange(12) == 0:
        variables[drawn.choice(list(variables))] = drawn.choice([None, "wrong", 2**40, [1], {"x": "y"}, 1.5, True])
    return RandomOperation(document, variables, text)
