"""Asks everything that the schema lets a viewer ask, and reads the answers."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncGenerator, Iterator, Sequence
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

from app.authentication.claims import Claims
from app.web_state import WebState
from schema.build import graphql_core_schema
from schema.documents import Document
from schema.execution import LiveAnswer, Operation
from schema.limits import SizeChecks
from tests.app.web.running_server import token_for
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
_FEW = 4
"""Calls of one field with different arguments; with more of them it is a look-up."""
_AT_ONCE = 25
_documents: dict[str, Operation] = {}


@dataclass(frozen=True)
class Depths:
    """How many things are entered from one to the next: below what is looked up by name, and below what stands in lists."""

    looked_up: int = 0
    listed: int = 1


def operation(text: str) -> Operation:
    """Without the limits on size, which would only mean more operations, and without validation: the schema made it."""
    if text not in _documents:
        ast = parse(text, no_location=True)
        node = next(one for one in ast.definitions if isinstance(one, OperationDefinitionNode))
        _documents[text] = Operation(Document(ast, {None: node}, {None: {}}, SizeChecks(ast)), node, {})
    return _documents[text]


class Asker:
    """One viewer before the web process, in its own process: no bytes go over a wire, and no limit on size stands in the way.

    `claims`: of the viewer's token; None for an anonymous one.
    """

    def __init__(self, web: WebState, claims: Claims | None) -> None:
        self._web = web
        self.claims = claims

    @classmethod
    async def of(cls, web: WebState, name: str | None) -> Asker:
        return cls(web, await web.verifier.verify(token_for(name)) if name is not None else None)

    async def viewer_id(self) -> int | None:
        """Raises AuthenticationError for an account that has been suspended: no token of theirs is taken."""
        viewer = await self._web.load_viewer(self.claims)
        return viewer.id if viewer is not None else None

    async def ask(self, text: str) -> dict[str, Any]:
        return await self._web.engine.execute(operation(text), await self._web.open_context(self.claims))

    async def watch(self, text: str) -> AsyncGenerator[LiveAnswer]:
        """The answers to a subscription."""
        async for answer in self._web.engine.subscribe(operation(text), await self._web.open_context(self.claims)):
            yield answer

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
        kind = get_named_type(field.type)
        # A list of ids is one call, and is gone through as far as any list.
        is_looked_up = len(variants) > _FEW
        hops = (depths.looked_up if is_looked_up else depths.listed) + (not SELECTIONS.is_thing(kind))
        selection = SELECTIONS.below(kind, hops)
        below = (" { ...Below }", f" fragment Below on {kind.name} {selection}") if selection else ("", "")
        for start in range(0, len(variants), _AT_ONCE):
            some = variants[start : start + _AT_ONCE]
            fields = [f"v{number}: {call}{below[0]}" for number, (call, _) in enumerate(some)]
            answer = await self.ask("{ " + " ".join(fields) + " }" + below[1])
            _check_errors(answer, is_anonymous=self.claims is None)
            for number, (_, ids) in enumerate(some):
                reading.asked_for(place, ids)
                value = (answer.get("data") or {}).get(f"v{number}")
                reading.read(place, value, () if number else answer.get("errors", ()))
                _keep_cursor(reading, place, value)


def calls(place: str, name: str, field: GraphQLField, stock: Stock) -> Iterator[tuple[str, list[str]]]:
    """The field with arguments, as text, in every combination; and which ids it names."""
    names = list(field.args)
    choices = [values_of(place, argument_name, argument, stock) for argument_name, argument in field.args.items()]
    for values in itertools.product(*choices):
        arguments = [
            f"{argument}: {literal(value, field.args[argument].type)}"
            for argument, value in zip(names, values, strict=True)
            if value is not LEFT_OUT
        ]
        ids: list[str] = []
        for argument, value in zip(names, values, strict=True):
            if argument in IDS:
                ids += value if isinstance(value, list) else [value]
        yield name + (f"({', '.join(arguments)})" if arguments else ""), ids


def literal(value: Any, kind: Any) -> str:
    """A value as GraphQL writes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {json.dumps(inner)}" for name, inner in value.items()) + "}"
    if isinstance(get_named_type(kind), GraphQLEnumType) and isinstance(value, str):
        return value
    return json.dumps(value)


def _keep_cursor(reading: Reading, place: str, value: Any) -> None:
    info = value.get("pageInfo") if isinstance(value, dict) else None
    if info and info.get("endCursor"):
        reading.cursors[f"{place}.endCursor"] = info["endCursor"]


def _check_errors(answer: dict[str, Any], *, is_anonymous: bool) -> None:
    """An anonymous viewer is told to sign in; everything else is a failure of ours, which would hide what it took along."""
    for error in answer.get("errors", ()):
        is_expected = is_anonymous and error.get("extensions", {}).get("code") == "UNAUTHENTICATED"
        assert is_expected, error
