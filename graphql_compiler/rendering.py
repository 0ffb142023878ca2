"""What was rendered of a record is kept with the record, and stands in later answers as it is.

A record says by a slot (`RENDERED_ATTRIBUTE`) that it never changes. At its first use by an object of a plan that is noted; at
its second use the stable stretches of its fields are rendered and kept. From then on they are spliced, without being read
again, until the record goes. A stretch stands in its object under its first field's name: the value is the JSON of that
field's value, and of the other fields with their names.

The slot holds a chain of tuples, one for each object of a plan: (its number, the next tuple or None, what was rendered …), or
the negative number and nothing rendered, where the record was used once. A tuple is one object, a dictionary three; pages of
records that nobody has read for a while cost what it takes to fetch their objects from memory.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any, TypeAlias

from orjson import Fragment, dumps

from graphql_compiler.protocol import RENDERED_ATTRIBUTE
from graphql_compiler.stability import Stretch

if TYPE_CHECKING:
    from graphql_compiler.run import Run

MAX_KEPT = 4
"""Of one record: for so many objects of operations. The one that came first goes first."""

_numbers = itertools.count(1)


Kept: TypeAlias = tuple[Any, ...]

FIRST_PART = 2
"""Where in a tuple what was rendered begins."""


class Rendering:
    """One object of a plan, whose records may keep what was rendered. `setters`: classes that do, with what sets their slot.

    `seen`: for all records that were used once, and by no other object.
    """

    __slots__ = ("_names", "is_whole", "number", "seen", "setters")

    def __init__(self, stretches: list[Stretch]) -> None:
        self.number = next(_numbers)
        self.setters: dict[type, Callable[[Any, Any], None]] = {}
        self.seen: Kept = (-self.number, None)
        self.is_whole = len(stretches) == 1
        self._names = [[field.response_name for field in each.fields] for each in stretches if each.is_stable]

    def note(self, record_class: type) -> None:
        """A class has come for the first time."""
        member = getattr(record_class, RENDERED_ATTRIBUTE, None)
        if isinstance(member, MemberDescriptorType) and record_class not in self.setters:
            self.setters[record_class] = member.__set__

    def render(self, made: dict[str, Any]) -> list[Fragment]:
        """What stands for the object, or for its stretches. Raises TypeError for what orjson cannot write."""
        if self.is_whole:
            return [Fragment(dumps(made))]
        stretches = []
        for names in self._names:
            text = dumps({name: made[name] for name in names})
            stretches.append(Fragment(text[len(dumps(names[0])) + 2 : -1]))
        return stretches


def find(kept: Kept | None, number: int) -> Kept | None:
    """The tuple of a record that begins with the number."""
    while kept is not None and kept[0] != number:
        kept = kept[1]
    return kept


def keep(run: Run, rendering: Rendering, record: Any, made: dict[str, Any], late: int) -> None:
    """At the second use of a record, or later, while nothing is kept. `late`: `run.unlasting` before it was looked at."""
    if run.errors or run.unlasting != late:
        return
    kept: Kept | None = getattr(record, RENDERED_ATTRIBUTE)
    number, parts = -rendering.number, []
    if find(kept, number) is not None:
        try:
            number, parts = rendering.number, rendering.render(made)
        except TypeError:
            return
    others = []
    while kept is not None:
        if abs(kept[0]) != rendering.number:
            others.append(kept)
        kept = kept[1]
    chain: Kept | None = None
    for each in reversed(others[: MAX_KEPT - 1]):
        chain = (each[0], chain, *each[FIRST_PART:])
    rendering.setters[record.__class__](record, (number, chain, *parts))


def plain(value: Any) -> Any:
    """The same without anything rendered: dicts, lists and what JSON has."""
    if value.__class__ is list:
        return [plain(each) for each in value]
    if value.__class__ is Fragment:
        return json.loads(dumps(value))
    if value.__class__ is not dict:
        return value
    made: dict[str, Any] = {}
    for key, each in value.items():
        if each.__class__ is Fragment:
            made.update(json.loads(dumps({key: each})))
        else:
            made[key] = plain(each)
    return made


def write_json(value: Any) -> bytes:
    """JSON in UTF-8, of values in which rendered ones may stand. What UTF-8 cannot hold is escaped."""
    try:
        return dumps(value)
    except TypeError:
        return json.dumps(plain(value), separators=(",", ":")).encode()
