"""Which parts of an object in the answer hang on its record alone, so that they can be rendered once and kept with it."""

from __future__ import annotations

from dataclasses import dataclass

from graphql import GraphQLOutputType, is_abstract_type, is_leaf_type, specified_scalar_types

from graphql_compiler.answers import Attribute, Batched, Call, Typename
from graphql_compiler.shape import Field, Position

MIN_WORTH = 3
"""Attributes of built-in scalars count one, everything else more: below this, reading is as cheap as finding what was kept."""
_DEAR = 4


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Neighbouring fields, all stable or all not."""

    is_stable: bool
    fields: list[Field]


def find_stretches(fields: list[Field]) -> list[Stretch] | None:
    """The fields of an object in their order; None where keeping any of them would not pay."""
    stretches: list[Stretch] = []
    worth = 0
    for field in fields:
        is_stable = _is_stable(field)
        worth += _worth(field) if is_stable else 0
        if stretches and stretches[-1].is_stable == is_stable:
            stretches[-1].fields.append(field)
        else:
            stretches.append(Stretch(is_stable, [field]))
    if worth < MIN_WORTH:
        return None
    # Type names alone are constants, which need not be kept.
    return [
        Stretch(each.is_stable and any(not isinstance(field.answer, Typename) for field in each.fields), each.fields)
        for each in stretches
    ]


def _is_stable(field: Field) -> bool:
    answer = field.answer
    if isinstance(answer, Typename):
        return True
    if isinstance(answer, Call):
        return answer.is_stable and _is_stable_below(field.value)
    if isinstance(answer, Batched):
        # As long as it is at hand: the others are not kept, see `Run.unkept`.
        return answer.at_hand is not None and answer.batch.finish is None and _is_stable_below(field.value)
    # What is read by a function of the schema's own may be anything.
    return isinstance(answer, Attribute) and answer.read is None and _is_stable_below(field.value)


def _is_stable_below(position: Position) -> bool:
    if is_abstract_type(position.type):
        return False
    if position.item is not None:
        return _is_stable_below(position.item)
    return all(_is_stable(field) for fields in position.objects.values() for field in fields)


def _worth(field: Field) -> int:
    if isinstance(field.answer, Typename):
        return 0
    type_: GraphQLOutputType = field.value.type
    is_plain = is_leaf_type(type_) and any(type_ is each for each in specified_scalar_types.values())
    return 1 if is_plain and isinstance(field.answer, Attribute) else _DEAR
