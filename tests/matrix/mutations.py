"""Every mutation of the schema, by everybody, on what they see and on what they do not.

On what is hidden it answers as on what has never been there, to the letter; and no payload, however deep it is read, holds
anything that its reader may not see.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from graphql import GraphQLField, GraphQLInputField, GraphQLInputObjectType, get_named_type

from app.authentication.errors import AuthenticationError
from domain.ids import from_global_id
from tests.matrix.arguments import IDS, LEFT_OUT, Stock, UnknownArgumentError, values_of
from tests.matrix.asking import SCHEMA, SELECTIONS, Asker, literal
from tests.matrix.cast import ANONYMOUS, VIEWERS
from tests.matrix.findings import Tally
from tests.matrix.oracle import Oracle
from tests.matrix.stage import ABSENT_NUMBER, Stage
from tests.matrix.truth import Secret, Truth

PAYLOAD_HOPS = 2
TAKING_BACK = {
    "unfollowUser",
    "unblockUser",
    "unmuteUser",
    "removeFollower",
    "answerFollowRequest",
    "unlikePost",
    "unbookmarkPost",
    "unsharePost",
    "markNotificationsRead",
}
"""What somebody did to a thing they may take back when it is hidden from them by now, and what they were told of they may have
read: that answers as it does."""


def one_of(global_id: str) -> Secret:
    """What an id of ours stands for."""
    parts = from_global_id(global_id)
    assert parts is not None
    return parts


def mutations() -> dict[str, GraphQLField]:
    found = SCHEMA.mutation_type
    assert found is not None
    return dict(found.fields)


def _input_type(name: str, field: GraphQLField) -> GraphQLInputObjectType:
    kind = get_named_type(field.args["input"].type) if set(field.args) == {"input"} else None
    if not isinstance(kind, GraphQLInputObjectType):
        raise UnknownArgumentError(f"Mutation.{name}", list(field.args))
    return kind


def target_of(name: str, field: GraphQLField) -> str | None:
    """The member of the input that names what it is about; None where nothing is named."""
    members = _input_type(name, field).fields
    return next((one for one, member in members.items() if one in IDS and "[" not in str(member.type)), None)


def _inputs(name: str, field: GraphQLField, stock: Stock, target: str | None, number: int) -> dict[str, str]:
    """Members as text, without the target; of several values the one whose turn it is."""
    kind = _input_type(name, field)
    chosen = {}
    for member_name, member in kind.fields.items():
        values = _values(kind, member_name, member, stock)
        if member_name != target and values and values[number % len(values)] is not LEFT_OUT:
            chosen[member_name] = literal(values[number % len(values)], member.type)
    return chosen


def _values(kind: GraphQLInputObjectType, name: str, member: GraphQLInputField, stock: Stock) -> list[Any]:
    return values_of(kind.name, name, member, stock)


def _call(name: str, field: GraphQLField, inputs: dict[str, str]) -> str:
    members = ", ".join(f"{member}: {value}" for member, value in inputs.items())
    selection = SELECTIONS.below(get_named_type(field.type), PAYLOAD_HOPS)
    return f"mutation {{ {name}(input: {{{members}}}) {selection} }}"


class Mutator:
    """`hidden`, `visible`: on how many things of either kind each viewer tries each mutation. `turn`: on which."""

    def __init__(self, stage: Stage, moment: str, *, hidden: int, visible: int, turn: int) -> None:
        self._stage = stage
        self._moment = moment
        self._hidden = hidden
        self._visible = visible
        self._turn = turn

    async def read(self, name: str, viewers: Sequence[str] = VIEWERS) -> Tally:
        """One mutation by everybody."""
        total = Tally()
        for number, viewer in enumerate(viewers, start=self._turn):
            if viewer != ANONYMOUS:
                total.add(await self._by(viewer, name, number))
        return total

    async def _by(self, viewer: str, name: str, number: int) -> Tally:
        asker = await self._stage.asker(viewer)
        try:
            viewer_id = await asker.viewer_id()
        except AuthenticationError:
            return Tally()
        field = mutations()[name]
        truth = await self._stage.truth()
        stock = self._stage.stock(truth, viewer, self._stage.words[:1])
        target = target_of(name, field)
        inputs = _inputs(name, field, stock, target, number)
        if target is None:
            return await self._read(asker, viewer, viewer_id, name, _call(name, field, inputs), None)
        total = Tally()
        kind = IDS[target] or "Post"
        absent = json.dumps(stock.ids[kind][-1])
        for hidden, one in self._targets(truth, viewer_id, stock.ids[kind], number):
            text = _call(name, field, inputs | {target: json.dumps(one)})
            may_differ = not hidden or (name in TAKING_BACK and Oracle(truth, viewer_id).has_dealt_with(one_of(one)))
            like = None if may_differ else _call(name, field, inputs | {target: absent})
            total.add(await self._read(asker, viewer, viewer_id, name, text, like))
        return total

    def _targets(self, truth: Truth, viewer_id: int | None, ids: Sequence[str], number: int) -> Iterator[tuple[bool, str]]:
        oracle = Oracle(truth, viewer_id)
        hidden: list[str] = []
        visible: list[str] = []
        for one in ids:
            parts = one_of(one)
            if parts[1] != ABSENT_NUMBER and parts != ("User", viewer_id):
                (visible if oracle.sees(parts) else hidden).append(one)
        for is_hidden, found, most in ((True, hidden, self._hidden), (False, visible, self._visible)):
            for place in range(min(most, len(found))):
                # Steps that meet all of them in time.
                yield is_hidden, found[(number * 7 + place * max(1, len(found) // most)) % len(found)]

    async def _read(self, asker: Asker, viewer: str, viewer_id: int | None, name: str, text: str, like: str | None) -> Tally:
        """`like`: the same about something that has never been there."""
        answer = await asker.ask(text)
        assert "errors" not in answer, (text, answer["errors"])
        truth = await self._stage.truth()
        reading = self._stage.reading(truth, viewer, viewer_id, self._moment)
        place = f"Mutation.{name}"
        if like is not None:
            reading.tally.compared += 1
            absent = await asker.ask(like)
            if answer != absent:
                reading.leak(place, f"hidden things are answered unlike absent ones: {answer} and {absent} to {text[:150]}")
        reading.read(place, answer["data"][name])
        return reading.close()
