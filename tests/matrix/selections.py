"""Everything that can be asked for below a field, read off the schema itself: so what is added to it is asked for by itself.

A selection goes from thing to thing (a *thing* implements Node) as many hops as it is told, and takes all that is said of the
last ones but where they lead to. A field that was gone through is not gone through again on the same way.
"""

from __future__ import annotations

import json

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
)

from tests.matrix.arguments import INNER_PAGE, LEFT_OUT, Stock, values_of

_Trail = tuple[tuple[str, str], ...]
_NO_STOCK = Stock(ids={}, usernames=(), hashtags=(), words=())


class Selections:
    """The selections of one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self._known: dict[tuple[str, int], str] = {}

    def is_thing(self, kind: GraphQLNamedType) -> bool:
        if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            return any(self.is_thing(one) for one in self.schema.get_possible_types(kind))
        return isinstance(kind, GraphQLObjectType) and any(interface.name == "Node" for interface in kind.interfaces)

    def things(self) -> list[str]:
        return sorted(
            name for name, kind in self.schema.type_map.items() if isinstance(kind, GraphQLObjectType) and self.is_thing(kind)
        )

    def below(self, kind: GraphQLNamedType, hops: int) -> str:
        """What to ask of a field of this type, with its braces; empty for one that has no fields. `hops`: things entered."""
        if not is_composite_type(kind):
            return ""
        key = (kind.name, hops)
        if key not in self._known:
            self._known[key] = self._selection(kind, hops, ())
        return self._known[key]

    def _selection(self, kind: GraphQLNamedType, hops: int, trail: _Trail) -> str:
        if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            parts = [f"... on {one.name} {self._selection(one, hops, trail)}" for one in self.schema.get_possible_types(kind)]
        else:
            assert isinstance(kind, GraphQLObjectType)
            parts = [part for name, field in kind.fields.items() if (part := self._field(kind, name, field, hops, trail))]
        return "{ __typename " + " ".join(parts) + " }"

    def _field(self, kind: GraphQLObjectType, name: str, field: GraphQLField, hops: int, trail: _Trail) -> str:
        """Empty for one that is not asked for: too far away, or gone through already."""
        below = get_named_type(field.type)
        asked = name + self._arguments(kind, name, field)
        if not is_composite_type(below):
            return asked
        if self.is_thing(kind):
            if (kind.name, name) in trail or (not hops and "first" in field.args):
                return ""
            trail = (*trail, (kind.name, name))
        if self.is_thing(below):
            return f"{asked} {self._selection(below, hops - 1, trail)}" if hops else ""
        # Of the two ways through a list one goes on; the other one shows what it has.
        left = min(hops, 1) if name == "edges" and "nodes" in kind.fields else hops
        return f"{asked} {self._selection(below, left, trail)}"

    def _arguments(self, kind: GraphQLObjectType, name: str, field: GraphQLField) -> str:
        """Of a field below the root: the first that is known to fit."""
        parts = []
        for argument_name, argument in field.args.items():
            if argument_name == "first":
                parts.append(f"first: {INNER_PAGE}")
                continue
            values = values_of(f"{kind.name}.{name}", argument_name, argument, _NO_STOCK)
            if values and values[0] is not LEFT_OUT:
                parts.append(f"{argument_name}: {json.dumps(values[0])}")
        return f"({', '.join(parts)})" if parts else ""
