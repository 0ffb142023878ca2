"""Lists whose items are all as usual, column by column: what one field is of all items, then what the next one is.

A loop over the items is some 180 instructions of the interpreter for each; reading a column is one call into C for all of them.
The function that is made here answers for the items for which nothing is out of the ordinary: every value of the class that it
usually has, what is loaded known already, what can be rendered rendered before. For the others it leaves None, and where whole
columns are not as usual it gives up: then the loop says what is what, as if nothing had been tried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import iscoroutine
from itertools import repeat
from keyword import iskeyword
from operator import attrgetter, itemgetter
from sys import getrefcount
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLID,
    GraphQLInt,
    GraphQLString,
    is_leaf_type,
    is_object_type,
)
from graphql.pyutils import is_awaitable

from graphql_compiler.answers import Attribute, Batched, Typename
from graphql_compiler.loading import LATER, known
from graphql_compiler.protocol import FINISH_NAME_ATTRIBUTE, RENDERED_ATTRIBUTE
from graphql_compiler.rendering import FIRST_PART, Rendering, find
from graphql_compiler.shape import Field, Position
from graphql_compiler.source import Source
from graphql_compiler.stability import find_stretches
from graphql_compiler.values import is_judged_by_class

MIN_ITEMS = 4
"""Shorter lists are gone through item by item."""

_ALONE = 3
_CLASSES = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool, GraphQLInt: int}


class _NotByColumnsError(Exception):
    """A field of another kind."""


@dataclass(slots=True)
class Columns:
    """What answers for a list: `answer(run, items, context, *known)`, with what the loaders of `loaded` know.

    It gives a list with an object or None for each item, or None. `is_off`: values have turned out to be awaitable, which are
    not to be read twice.
    """

    answer: Callable[..., list[Any] | None]
    loaded: list[Position]
    is_off: bool = field(default=False)


def make_columns(item: Position) -> Columns | None:
    """Columns for the list with that item; None where its objects have fields of other kinds, or it is not worth it."""
    if item.is_nullable or not is_object_type(item.type) or not is_judged_by_class(item):
        return None
    writer = _ColumnWriter()
    try:
        entry = writer.object(item, "l")
    except _NotByColumnsError:
        return None
    if not writer.columns:
        return None
    made = Columns(lambda *_: None, writer.loaded)
    made.answer = writer.build(entry, made)
    return made


class _ColumnWriter:
    """Writes one such function. Each column is a variable; `columns` are those that the answer is put together from."""

    def __init__(self) -> None:
        self.loaded: list[Position] = []
        self.columns: list[str] = []
        self._asked: list[Position] = []
        self._needed: list[str] = []
        self._lines: list[str] = []
        self._last: list[str] = []
        self._source = Source("columns", "")

    def build(self, entry: str, made: Columns) -> Callable[..., list[Any] | None]:
        names = ", ".join(["run", "l", "c", *(f"K{position.number}" for position in self.loaded)])
        source = Source("columns", names)
        source.constants.update(self._source.constants)
        source.constant("spoiled", lambda column: _spoil(made, column))
        if self._asked:
            source.line(1, f"if {' or '.join(f'K{each.number} is None' for each in self._asked)}: return None")
        source.line(1, "try:")
        for line in [*self._lines, *self._last]:
            source.line(2, line)
        given = ", ".join(f"x{name}" for name in self.columns)
        over = self.columns[0] if len(self.columns) == 1 else f"zip({', '.join(self.columns)})"
        if self._needed:
            partly = f"[{entry} if {' and '.join(f'x{name}' for name in self._needed)} else None for {given} in {over}]"
            source.line(2, f"if not ({' and '.join(f'all({name})' for name in self._needed)}): return {partly}")
        source.line(2, f"return [{entry} for {given} in {over}]")
        source.line(1, "except Exception:")
        source.line(2, "return None")
        return source.build()

    def object(self, position: Position, column: str) -> str:
        """Reads the objects of a column; what stands for one of them in the answer."""
        admitted = self._constant("k", position, position.admitted)
        [fields] = position.objects.values()
        stretches = find_stretches(fields)
        if stretches is None:
            self._check(column, f"<= {admitted}")
            return self._literal([self._entry(each, column) for each in fields])
        rendering = position.renderings.setdefault(fields[0].parent_type.name, Rendering(stretches))
        kept, number = f"s{position.number}", self._constant("N", position, rendering.number)
        setters = self._constant("H", position, rendering.setters)
        rendered = self._getter(RENDERED_ATTRIBUTE)
        classes = f"t{position.number}"
        self._lines.append(f"{classes} = {{*map(type, {column})}}")
        self._lines.append(f"if not ({classes} <= {admitted} and {classes} <= {setters}.keys()): return spoiled({column})")
        self._source.constant("number_of", itemgetter(0))
        self._source.constant("find", find)
        self._lines.append(f"{kept} = [*map({rendered}, {column})]")
        usual = f"all({kept}) and [*map(number_of, {kept})].count({number}) == len({kept})"
        self._lines.append(f"if not ({usual}): {kept} = [find(w, {number}) for w in {kept}]")
        self.columns.append(kept)
        self._needed.append(kept)
        if rendering.is_whole:
            return f"x{kept}[{FIRST_PART}]"
        entries, stable = [], [each for each in stretches if each.is_stable]
        for stretch in stretches:
            if stretch.is_stable:
                part = f"x{kept}[{FIRST_PART + stable.index(stretch)}]"
                entries.append(f"{stretch.fields[0].response_name!r}: {part}")
            else:
                entries += [self._entry(each, column) for each in stretch.fields]
        return self._literal(entries)

    def _entry(self, field: Field, parent: str) -> str:
        return f"{field.response_name!r}: {self._value(field, parent)}"

    def _value(self, field: Field, parent: str) -> str:
        answer, position = field.answer, field.value
        column = f"a{position.number}"
        if isinstance(answer, Typename):
            return repr(field.parent_type.name)
        if isinstance(answer, Attribute) and answer.read is None and _is_name(answer.name):
            self._lines.append(f"{column} = [*map({self._getter(answer.name)}, {parent})]")
            return self._completed(position, column, self._lines)
        if isinstance(answer, Batched) and not answer.is_many and answer.key_name is not None:
            return self._loaded(answer, answer.key_name, position, parent)
        raise _NotByColumnsError

    def _loaded(self, answer: Batched, key_name: str, position: Position, parent: str) -> str:
        column, told = f"a{position.number}", f"K{position.number}"
        self.loaded.append(position)
        # A key that is None, or not known, is a KeyError.
        if answer.at_hand is not None:
            self._source.constant("LATER", LATER)
            self._source.constant("known", known)
            self._lines.append(f"{column} = [*map({self._getter(answer.at_hand)}, {parent})]")
            self._lines.append(f"if not all({column}):")
            self._lines.append(f" if {told} is LATER: {told} = known(run, {self._constant('P', position, position)})")
            keys = f"zip({column}, map({self._getter(key_name)}, {parent}))"
            self._lines.append(f" {column} = [{told}[k] if v is None else v for v, k in {keys}]")
        else:
            # There are MIN_ITEMS at least, so that several come back.
            self._asked.append(position)
            self._source.constant("itemgetter", itemgetter)
            self._lines.append(f"{column} = itemgetter(*map({self._getter(key_name)}, {parent}))({told})")
        if answer.batch.finish is None:
            return self._completed(position, column, self._lines)
        if not is_leaf_type(position.type):
            raise _NotByColumnsError
        attribute = getattr(answer.batch, FINISH_NAME_ATTRIBUTE, None)
        # Last of all, so that it is seldom called for nothing.
        if attribute is not None:
            self._last.append(f"{column} = [*map({self._getter(attribute)}, {column})]")
        else:
            finish = self._constant("z", position, answer.batch.finish)
            self._source.constant("repeat", repeat)
            self._last.append(f"{column} = [*map({finish}, {parent}, {column}, repeat(c))]")
        return self._completed(position, column, self._last)

    def _completed(self, position: Position, column: str, lines: list[str]) -> str:
        if is_object_type(position.type) and not position.is_nullable and is_judged_by_class(position):
            return self.object(position, column)
        class_ = next((class_ for type_, class_ in _CLASSES.items() if position.type is type_), None)
        if class_ is None:
            raise _NotByColumnsError
        usual = {class_, type(None)} if position.is_nullable else {class_}
        if class_ is int and position.is_nullable:
            raise _NotByColumnsError
        self._check(column, f"<= {self._constant('u', position, usual)}", lines)
        if class_ is int:
            lines.append(f"if not -2147483648 <= min({column}) <= max({column}) <= 2147483647: return None")
        self.columns.append(column)
        return f"x{column}"

    def _check(self, column: str, test: str, lines: list[str] | None = None) -> None:
        (self._lines if lines is None else lines).append(f"if not {{*map(type, {column})}} {test}: return spoiled({column})")

    def _getter(self, name: str) -> str:
        return self._source.constant(f"g_{name}", attrgetter(name))

    def _constant(self, letter: str, position: Position, value: Any) -> str:
        return self._source.constant(f"{letter}{position.number}", value)

    @staticmethod
    def _literal(entries: list[str]) -> str:
        return f"{{{', '.join(entries)}}}"


def _is_name(name: str) -> bool:
    return name.isidentifier() and not iskeyword(name)


def _spoil(columns: Columns, column: list[Any]) -> None:
    if not any(map(is_awaitable, column)):
        return
    columns.is_off = True
    for each in column:
        # Made by the reading, where the column, this loop and the call are all that know it. The loop over items makes another.
        if iscoroutine(each) and getrefcount(each) <= _ALONE:
            each.close()
