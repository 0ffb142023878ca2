"""Writes the source of one generated function: objects with their fields, and what of them is kept or waited for."""

from __future__ import annotations

from graphql import is_abstract_type, is_leaf_type, is_list_type

from graphql_compiler import slow_path
from graphql_compiler.answers import Batched, Typename
from graphql_compiler.columns import MIN_ITEMS, make_columns
from graphql_compiler.failures import Template
from graphql_compiler.loading import LATER, MISSING, known
from graphql_compiler.reading import read_expression
from graphql_compiler.rendering import FIRST_PART, Rendering, find, keep
from graphql_compiler.shape import Field, Position
from graphql_compiler.source import Source
from graphql_compiler.stability import Stretch, find_stretches
from graphql_compiler.values import ValueWriter

MAX_BLOCKS = 12
"""Of loops and handlers within each other in one function; Python allows 20."""
MAX_DEPTH = 60
"""Of indentation; Python allows 100."""
MAX_LINES = 100
"""Of one function, before what is below goes into a function of its own: Python takes ever longer for long ones."""


class Writer(ValueWriter):
    """Writes the body of one function. `depth` counts indentation, `blocks` loops and handlers around a line."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        for name in ("null", "propagated"):
            source.constant(name, getattr(slow_path, name))

    def begin(self, depth: int) -> int:
        """Opens a `try`; what `handler` wants to know of it."""
        self.source.line(depth, "try:")
        return len(self.source.loops)

    def handler(self, depth: int, begun: int, action: str, template: Template) -> None:
        """Closes a `try`: the failure becomes an error, and `action` gets it with the value that it nulls."""
        source = self.source
        source.line(depth, "except Exception as e:")
        given = f"run, e, places, {source.indices()}, {source.template(template)}, {source.lists(begun)}"
        source.line(depth + 1, f"{action}({given})")

    def object_body(
        self, fields: list[Field], parent: str, template: Template, depth: int, blocks: int, of: Position | None = None
    ) -> str:
        """Writes the fields of an object; the name of the variable that holds it afterwards.

        `of`: where it stands; None at the root, of which nothing is kept.
        """
        for field in fields:
            if _may_be_at_hand(field):
                self.source.line(depth, f"q{field.value.number} = False")
        stretches = find_stretches(fields) if of is not None else None
        if stretches is None or of is None:
            for field in fields:
                self._field_of_object(field, parent, template, depth, blocks)
            made = f"r{fields[0].value.number}_" if fields else "r_"
            self.source.line(depth, f"{made} = {_literal(fields)}")
            self._put_what_waits(fields, made, parent, template, depth)
            return made

        rendering = of.renderings.setdefault(fields[0].parent_type.name, Rendering(stretches))
        source, number = self.source, fields[0].value.number
        made, kept, all_kept, late = (f"{letter}{number}_" for letter in "rswt")
        setters = source.constant(f"H{number}_", rendering.setters)
        source.line(depth, f"{kept} = {all_kept} = None")
        source.line(depth, f"if {parent}.__class__ in {setters}:")
        source.line(depth + 1, f"{all_kept} = {parent}.rendered_json")
        source.line(depth + 1, f"if {all_kept} is not None:")
        key = source.constant(f"N{number}_", rendering.number)
        source.constant("find", find)
        source.line(depth + 2, f"{kept} = {all_kept} if {all_kept}[0] is {key} else find({all_kept}, {key})")
        source.line(depth + 2, f"if {kept} is None: {late} = run.unlasting")
        for stretch in stretches:
            if stretch.is_stable:
                source.line(depth, f"if {kept} is None:")
            for field in stretch.fields:
                self._field_of_object(field, parent, template, depth + stretch.is_stable, blocks)
        source.line(depth, f"if {kept} is None:")
        source.line(depth + 1, f"{made} = {_literal(fields)}")
        source.line(depth + 1, f"if {parent}.__class__ in {setters}:")
        seen, described = source.constant(f"S{number}_", rendering.seen), source.constant(f"R{number}_", rendering)
        source.line(depth + 2, f"if {all_kept} is None: {setters}[{parent}.__class__]({parent}, {seen})")
        source.constant("keep", keep)
        source.line(depth + 2, f"else: keep(run, {described}, {parent}, {made}, {late})")
        if rendering.is_whole:
            source.line(depth, f"else: {made} = {kept}[{FIRST_PART}]")
        else:
            source.line(depth, f"else: {made} = {_spliced(stretches, kept)}")
        self._put_what_waits(fields, made, parent, template, depth)
        return made

    def _field_of_object(self, field: Field, parent: str, template: Template, depth: int, blocks: int) -> None:
        if isinstance(field.answer, Typename):
            return
        here = (*template, field.response_name)
        if _may_be_known(field):
            self._known_or_waiting(field, parent, here, depth, blocks)
        elif not field.is_deferred:
            self.field(field, parent, here, depth, blocks)

    def _put_what_waits(self, fields: list[Field], made: str, parent: str, template: Template, depth: int) -> None:
        for field in fields:
            if field.is_deferred:
                condition = f"if q{field.value.number}: " if _may_be_known(field) else ""
                self.put(field, made, parent, (*template, field.response_name), depth, condition)

    def put(self, field: Field, made: str, parent: str, template: Template, depth: int, condition: str = "") -> None:
        """Puts a field aside that has to be waited for."""
        name = self.constant_of("P", field.value, field.value)
        self.source.line(depth, f"{condition}put(({name}, {made}, {parent}, {self.source.place(template)}))")

    def _known_or_waiting(self, field: Field, parent: str, template: Template, depth: int, blocks: int) -> None:
        """A field of a loader: what the loader knows is taken at once."""
        source, position, answer = self.source, field.value, field.answer
        assert isinstance(answer, Batched), "by its caller"
        number = position.number
        waits, variable = f"q{number}", f"v{number}"
        source.constant("MISSING", MISSING)
        self._first_known(position)
        if answer.at_hand is None:
            source.line(depth, f"{waits} = K{number} is None")
        begun, inner = None, depth
        if position.is_nullable:
            begun, inner = self.begin(depth), depth + 1
        at = inner
        if answer.at_hand is not None:
            at += 1
            source.risk(inner, f"{variable} = {parent}.{answer.at_hand}", position, template)
            source.line(inner, f"if {variable} is None:")
            source.line(at, "run.unkept += 1")
            source.line(at, f"if K{number} is LATER: K{number} = {self._ask_known(position)}")
            source.line(at, f"{waits} = K{number} is None")
        source.line(at, f"if not {waits}:")
        if answer.key_name is not None:
            key = f"{parent}.{answer.key_name}"
        else:
            key = f"{self.constant_of('y', position, answer.key)}({parent}, c)"
        source.risk(at + 1, f"k = {key}", position, template)
        source.risk(at + 1, f"{variable} = None if k is None else K{number}.get(k, MISSING)", position, template)
        source.line(at + 1, f"{waits} = {variable} is MISSING")
        result = self.result_name(position)
        source.line(inner, f"if {waits}: {result} = None")
        source.line(inner, "else:")
        if answer.batch.finish is not None:
            finish = self.constant_of("z", position, answer.batch.finish)
            source.risk(inner + 1, f"{variable} = {finish}({parent}, {variable}, c)", position, template)
        else:
            source.line(inner + 1, "pass")
        self.value(position, template, inner + 1, blocks + 1, is_resolved=True)
        if begun is not None:
            self.handler(depth, begun, f"{result} = null", template)

    def field(self, field: Field, parent: str, template: Template, depth: int, blocks: int) -> str:
        """Writes one field that is answered in place; the name of the variable that holds its value afterwards."""
        position = field.value
        read = f"v{position.number} = {read_expression(self, field, parent, template)}"
        if not position.is_nullable:
            self.source.risk(depth, read, position, template)
            return self.value(position, template, depth, blocks)
        begun = self.begin(depth)
        self.source.risk(depth + 1, read, position, template)
        result = self.value(position, template, depth + 1, blocks + 1)
        self.handler(depth, begun, f"{result} = null", template)
        return result

    def value(self, position: Position, template: Template, depth: int, blocks: int, *, is_resolved: bool = False) -> str:
        """Completes the variable `v…` of a position; the name of the variable that holds the result afterwards.

        `is_resolved`: it has been waited for, so it is not waited for again.
        """
        result = self.result_name(position)
        if is_leaf_type(position.type):
            self.leaf(position, template, depth, is_resolved)
        elif blocks >= MAX_BLOCKS or depth >= MAX_DEPTH or self.source.length >= MAX_LINES:
            name = self.constant_of("P", position, position)
            value = f"run.plan.value({name}, {is_resolved})"
            call = f"{value}(run, v{position.number}, {self.source.place(template)})"
            self.source.risk(depth, f"{result} = {call}", position, template)
        elif is_list_type(position.type):
            self._list(position, template, depth, blocks, is_resolved)
        elif is_abstract_type(position.type):
            self.abstract(position, template, depth, is_resolved)
        else:
            self._object(position, template, depth, blocks, is_resolved)
        return result

    def _list(self, position: Position, template: Template, depth: int, blocks: int, is_resolved: bool) -> None:
        source, item, result = self.source, position.item, f"r{position.number}"
        assert item is not None, "a list has items"
        index, inner_template = self.begin_list(position, template, depth, is_resolved)
        done = self._columns(position, item, depth + 1)
        source.risk(depth + 1, f"for {index}, v{item.number} in enumerate(l{position.number}):", position, template)
        if done is not None:
            given = f"add{position.number}({done}[{index}]); continue"
            source.line(depth + 2, f"if {done} is not None and {done}[{index}] is not None: {given}")
        if item.is_nullable:
            begun = self.begin(depth + 2)
            made = self.value(item, inner_template, depth + 3, blocks + 2)
            self.handler(depth + 2, begun, f"{made} = null", inner_template)
        else:
            made = self.value(item, inner_template, depth + 2, blocks + 1)
        source.line(depth + 2, f"add{position.number}({made})")
        source.line(depth, f"else: {result} = None")

    def _columns(self, position: Position, item: Position, depth: int) -> str | None:
        """Writes what answers for usual items all together; the variable that holds, item by item, what it has made."""
        columns = make_columns(item)
        if columns is None:
            return None
        source, number = self.source, position.number
        name, done, items = self.constant_of("C", position, columns), f"d{number}", f"l{number}"
        source.first("c = run.context")
        for loaded in columns.loaded:
            self._first_known(loaded)
        given = ", ".join(["run", items, "c", *(f"K{loaded.number}" for loaded in columns.loaded)])
        test = f"{items}.__class__ in LISTS and len({items}) >= {MIN_ITEMS} and not {name}.is_off"
        source.line(depth, f"{done} = {name}.answer({given}) if {test} else None")
        source.line(depth, f"if {done} is not None and all({done}): r{number} = {done}; {items} = ()")
        return done

    def _first_known(self, position: Position) -> None:
        """What the loader of a field knows, asked once; where values may be at hand, once one is not."""
        answer = position.field.answer
        assert isinstance(answer, Batched), "by its caller"
        self.source.first("c = run.context")
        is_later = answer.at_hand is not None
        self.source.constant("LATER", LATER)
        self.source.first(f"K{position.number} = {'LATER' if is_later else self._ask_known(position)}")

    def _ask_known(self, position: Position) -> str:
        self.source.constant("known", known)
        return f"known(run, {self.constant_of('P', position, position)})"

    def _object(self, position: Position, template: Template, depth: int, blocks: int, is_resolved: bool) -> None:
        [fields] = position.objects.values()
        result = f"r{position.number}"
        self.begin_object(position, template, depth, is_resolved)
        made = self.object_body(fields, f"v{position.number}", template, depth + 1, blocks, position)
        self.source.line(depth + 1, f"{result} = {made}")
        self.source.line(depth, f"else: {result} = None")


def _may_be_known(field: Field) -> bool:
    return isinstance(field.answer, Batched) and not field.answer.is_many


def _may_be_at_hand(field: Field) -> bool:
    return isinstance(field.answer, Batched) and field.answer.at_hand is not None


def _literal(fields: list[Field]) -> str:
    return f"{{{', '.join(_entry(field) for field in fields)}}}"


def _spliced(stretches: list[Stretch], kept: str) -> str:
    """The object with what was kept in the places of its stable stretches."""
    entries, stable = [], [each for each in stretches if each.is_stable]
    for stretch in stretches:
        if stretch.is_stable:
            part = f"{kept}[{FIRST_PART + stable.index(stretch)}]"
            entries.append(f"{stretch.fields[0].response_name!r}: {part}")
        else:
            entries += [_entry(field) for field in stretch.fields]
    return f"{{{', '.join(entries)}}}"


def _entry(field: Field) -> str:
    return f"{field.response_name!r}: {_value_of(field)}"


def _value_of(field: Field) -> str:
    if isinstance(field.answer, Typename):
        return repr(field.parent_type.name)
    if field.is_deferred and not _may_be_known(field):
        return "None"
    return ValueWriter.result_name(field.value)
