"""Asks everything that the schema lets a viewer ask, and reads the answers."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLObjectType,
    OperationDefinitionNode,
    get_named_type,
    is_composite_type,
    parse,
)

from domain.records import UserRecord
from resolvers.context import OperationContext
from schema.build import graphql_core_schema
from schema.documents import Document
from schema.execution import Engine, Operation
from services.backends import Backends
from services.live.hub import LiveHub
from tests.live_hub import idle_hub
from tests.matrix.arguments import IDS, LEFT_OUT, Stock, values_of
from tests.matrix.findings import Reading
from tests.matrix.selections import Selections

SCHEMA = graphql_core_schema()
SELECTIONS = Selections(SCHEMA)
ABSTRACT = frozenset(
    (kind.name, name)
    for kind in SCHEMA.type_map.values()
    if isinstance(kind, GraphQLObjectType)
    for name, field in kind.fields.items()
    if is_composite_type(get_named_type(field.type)) and not isinstance(get_named_type(field.type), GraphQLObjectType)
)
_documents: dict[str, Document] = {}


@dataclass(frozen=True)
class Depths:
    """How many things are entered from one to the next: below what is looked up by name, and below what stands in lists."""

    looked_up: int = 0
    listed: int = 1


def document(text: str) -> Document:
    """Without the limits on size, which would only mean more operations, and without validation: the schema made it."""
    if text not in _documents:
        ast = parse(text, no_location=True)
        operations = {None: one for one in ast.definitions if isinstance(one, OperationDefinitionNode)}
        _documents[text] = Document(ast, operations)
    return _documents[text]


class Asker:
    """One viewer with an engine. `viewer`: None for an anonymous one."""

    def __init__(self, backends: Backends, viewer: UserRecord | None, *, hub: LiveHub | None = None) -> None:
        self.backends = backends
        self.viewer = viewer
        self.engine = Engine(has_introspection=False)
        self.hub = hub or idle_hub(backends)

    def context(self) -> OperationContext:
        return OperationContext(self.backends, self.hub, self.viewer)

    async def ask(self, text: str) -> dict[str, Any]:
        found = document(text)
        return await self.engine.execute(Operation(found, found.operations[None], {}), self.context())

    async def read_everything(self, reading: Reading, stock: Stock, depths: Depths, only: Sequence[str] = ()) -> None:
        """Every field of Query with everything in stock; `only`: some of them."""
        query = SCHEMA.query_type
        assert query is not None
        for name, field in query.fields.items():
            if not only or name in only:
                await self._read(reading, stock, depths, name, field)

    async def _read(self, reading: Reading, stock: Stock, depths: Depths, name: str, field: GraphQLField) -> None:
        place = f"Query.{name}"
        variants = list(calls(place, name, field, stock))
        if not variants:
            return
        kind = get_named_type(field.type)
        is_thing = SELECTIONS.is_thing(kind)
        is_looked_up = is_thing and "[" not in str(field.type) and len(variants) > 1
        hops = (depths.looked_up if is_looked_up else depths.listed) + (not is_thing)
        selection = SELECTIONS.below(kind, hops)
        fields = [f"v{number}: {call}" + (" { ...Below }" if selection else "") for number, (call, _) in enumerate(variants)]
        text = "{ " + " ".join(fields) + " }" + (f" fragment Below on {kind.name} {selection}" if selection else "")
        answer = await self.ask(text)
        _check_errors(answer, self.viewer)
        for number, (_, ids) in enumerate(variants):
            reading.asked_for(place, ids)
            value = (answer.get("data") or {}).get(f"v{number}")
            reading.read(place, value, answer.get("errors", ()) if not number else ())
            _keep_cursor(reading, place, value)


def calls(place: str, name: str, field: GraphQLField, stock: Stock) -> Iterator[tuple[str, list[str]]]:
    """The field with arguments, as text, in every combination; and which ids it names."""
    names = list(field.args)
    choices = [values_of(place, argument_name, argument, stock) for argument_name, argument in field.args.items()]
    for values in itertools.product(*choices):
        arguments = [
            f"{argument}: {_literal(value, field.args[argument].type)}"
            for argument, value in zip(names, values, strict=True)
            if value is not LEFT_OUT
        ]
        ids: list[str] = []
        for argument, value in zip(names, values, strict=True):
            if argument in IDS:
                ids += value if isinstance(value, list) else [value]
        yield name + (f"({', '.join(arguments)})" if arguments else ""), ids


def _literal(value: Any, kind: Any) -> str:
    if isinstance(get_named_type(kind), GraphQLEnumType) and isinstance(value, str):
        return value
    return json.dumps(value)


def _keep_cursor(reading: Reading, place: str, value: Any) -> None:
    info = value.get("pageInfo") if isinstance(value, dict) else None
    if info and info.get("endCursor"):
        reading.cursors[f"{place}.endCursor"] = info["endCursor"]


def _check_errors(answer: dict[str, Any], viewer: UserRecord | None) -> None:
    """An anonymous viewer is told to sign in; everything else is a failure of ours, which would hide what it took along."""
    for error in answer.get("errors", ()):
        code = error.get("extensions", {}).get("code")
        assert viewer is None and code == "UNAUTHENTICATED", error
