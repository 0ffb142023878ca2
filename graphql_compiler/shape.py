"""The shape of an operation's answer: every value that can stand in it, with its type and how it is come by."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from graphql import FieldNode, GraphQLField, GraphQLObjectType, GraphQLOutputType
from graphql.execution.collect_fields import FieldDetailsList

from graphql_compiler.answers import Answer, Batched, Call

if TYPE_CHECKING:
    from graphql_compiler.rendering import Rendering

ObjectBody: TypeAlias = Callable[..., dict[str, Any]]


@dataclass(slots=True, eq=False)
class Field:
    """A field of an object in the answer: all of its occurrences in the document, merged."""

    response_name: str
    details: FieldDetailsList
    nodes: list[FieldNode]
    definition: GraphQLField
    parent_type: GraphQLObjectType
    answer: Answer
    strawberry_field: Any
    value: Position = dataclasses.field(init=False)

    @property
    def is_deferred(self) -> bool:
        """Its value comes after the rest of its object."""
        answer = self.answer
        return isinstance(answer, Batched) or (isinstance(answer, Call) and answer.is_async)


@dataclass(slots=True, eq=False)
class Position:
    """Where a value stands: a field's, or a list's item.

    `type`: what it is where it is not null. `key`: its response name; None for an item, whose key is an index. `objects`:
    the fields by the name of the runtime type, of which there is one unless the type is abstract. `admitted`: classes whose
    instances need no further check. `bodies`: for an abstract type, what completes an instance of a class. `renderings`: by the
    name of the runtime type, what of its instances can be kept.
    """

    number: int
    field: Field
    type: GraphQLOutputType
    is_nullable: bool
    parent: Position | None
    key: str | None
    item: Position | None = None
    objects: dict[str, list[Field]] = dataclasses.field(default_factory=dict)
    admitted: set[Any] = dataclasses.field(default_factory=set)
    bodies: dict[Any, ObjectBody] = dataclasses.field(default_factory=dict)
    renderings: dict[str, Rendering] = dataclasses.field(default_factory=dict)

    def up_to_nullable(self) -> int | None:
        """How many keys lie between it and the nearest value that may be null (0: itself); None: all up to the data."""
        steps, at = 0, self
        while not at.is_nullable:
            if at.parent is None:
                return None
            steps, at = steps + 1, at.parent
        return steps


def walk(fields: list[Field]) -> Iterator[Field]:
    """All fields at and below."""
    for each in fields:
        yield each
        at: Position | None = each.value
        while at is not None:
            for inner in at.objects.values():
                yield from walk(inner)
            at = at.item
