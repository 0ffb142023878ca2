"""From the shape of an operation to the source of the functions that answer it.

An object is answered in one go, in the order of its fields: attributes are read in place, objects and lists below it are
written out in place too, as far as Python allows nesting. What has to be waited for leaves null in its place and is *put* aside
with the object that it belongs to; `drain.py` loads all of that together and has it completed by a function of its own.

Nothing is paid for errors until there is one: each value that may be null has one `try` around it, and the number of the line
that failed tells which value below it was being completed.
"""

from __future__ import annotations

from collections.abc import Callable
from keyword import iskeyword
from typing import Any

from graphql import Undefined, is_abstract_type, is_leaf_type, is_list_type

from graphql_compiler import slow_path
from graphql_compiler.answers import Attribute, Call, Itself, Typename
from graphql_compiler.failures import Template
from graphql_compiler.info import make_info
from graphql_compiler.leaves import enum_names, odd_value_test
from graphql_compiler.protocol import BY_CLASS_ATTRIBUTE
from graphql_compiler.shape import Field, Position
from graphql_compiler.source import Source

MAX_BLOCKS = 12
"""Of loops and handlers within each other in one function; Python allows 20."""

_LISTS = frozenset({list, tuple})


def generate_root(fields: list[Field]) -> Callable[..., Any]:
    """`root(run, s)`: the data of a query or event, None where it is nulled."""
    source = Source("root", "run, s")
    writer = _Writer(source)
    source.line(1, "p = None")
    begun = writer.begin(1)
    source.line(2, f"return {writer.object_body(fields, 's', (), 2, 1)}")
    writer.handler(1, begun, "return null", ())
    return source.build()


def generate_serial(field: Field) -> Callable[..., Any]:
    """`serial(run, s, r)`: puts one field of a mutation into its data. Nulls the data where that fails."""
    source = Source("serial", "run, s, r")
    writer = _Writer(source)
    source.line(1, "p = None")
    begun = writer.begin(1)
    if field.is_deferred:
        source.line(2, f"r[{field.response_name!r}] = None")
        writer.put(field, "r", "s", (field.response_name,), 2)
    else:
        result = writer.field(field, "s", (field.response_name,), 2, 1)
        source.line(2, f"r[{field.response_name!r}] = {result}")
    writer.handler(1, begun, "run.data = null", ())
    return source.build()


def generate_value(position: Position, *, is_resolved: bool) -> Callable[..., Any]:
    """`value(run, v, p)`: completes one value. `is_resolved`: it has been waited for, so it is not waited for again."""
    variable = f"v{position.number}"
    source = Source("value", f"run, {variable}, p")
    writer = _Writer(source, is_resolved=is_resolved)
    begun = writer.begin(1)
    result = writer.value(position, (), 2, 1)
    source.line(2, f"return {result}")
    if position.is_nullable:
        writer.handler(1, begun, "return null", ())
    else:
        writer.handler(1, begun, "raise propagated", ())
    return source.build()


def generate_body(position: Position, type_name: str) -> Callable[..., Any]:
    """`body(run, s, p)`: completes an object whose type was found out at run time."""
    source = Source("body", "run, s, p")
    writer = _Writer(source)
    begun = writer.begin(1)
    source.line(2, f"return {writer.object_body(position.objects[type_name], 's', (), 2, 1)}")
    writer.handler(1, begun, "raise propagated", ())
    return source.build()


class _Writer:
    """Writes the body of one function. `depth` counts indentation, `blocks` loops and handlers around a line."""

    def __init__(self, source: Source, *, is_resolved: bool = False) -> None:
        self._source = source
        self._is_resolved = is_resolved
        for name in ("null", "propagated", "leaf", "uncoerced", "listed", "admit", "kind"):
            source.constant(name, getattr(slow_path, name))

    def begin(self, depth: int) -> int:
        """Opens a `try`; what `handler` wants to know of it."""
        self._source.line(depth, "try:")
        return len(self._source.loops)

    def handler(self, depth: int, begun: int, action: str, template: Template) -> None:
        """Closes a `try`: the failure becomes an error, and `action` gets it with the value that it nulls."""
        source = self._source
        source.line(depth, "except Exception as e:")
        given = f"run, e, places, {source.indices()}, {template!r}, {source.lists(begun)}"
        source.line(depth + 1, f"{action}({given})")

    def object_body(self, fields: list[Field], parent: str, template: Template, depth: int, blocks: int) -> str:
        """Writes the fields of an object; the name of the variable that holds it afterwards."""
        entries = []
        for field in fields:
            result = "None"
            if isinstance(field.answer, Typename):
                result = repr(field.parent_type.name)
            elif not field.is_deferred:
                result = self.field(field, parent, (*template, field.response_name), depth, blocks)
            entries.append(f"{field.response_name!r}: {result}")
        made = f"r{fields[0].value.number}_" if fields else "r_"
        self._source.line(depth, f"{made} = {{{', '.join(entries)}}}")
        for field in fields:
            if field.is_deferred:
                self.put(field, made, parent, (*template, field.response_name), depth)
        return made

    def put(self, field: Field, made: str, parent: str, template: Template, depth: int) -> None:
        position = field.value
        name = self._source.constant(f"P{position.number}", position)
        self._source.line(depth, f"put(({name}, {made}, {parent}, {self._source.place(template)}))")

    def field(self, field: Field, parent: str, template: Template, depth: int, blocks: int) -> str:
        """Writes one field that is answered in place; the name of the variable that holds its value afterwards."""
        position = field.value
        variable = f"v{position.number}"
        read = f"{variable} = {self._read(field, parent, template)}"
        if not position.is_nullable:
            self._source.risk(depth, read, position, template)
            return self.value(position, template, depth, blocks)
        begun = self.begin(depth)
        self._source.risk(depth + 1, read, position, template)
        result = self.value(position, template, depth + 1, blocks + 1)
        self.handler(depth, begun, f"{result} = null", template)
        return result

    def _read(self, field: Field, parent: str, template: Template) -> str:
        answer = field.answer
        position = field.value
        if isinstance(answer, Itself):
            return parent
        if isinstance(answer, Typename):
            return repr(field.parent_type.name)
        if isinstance(answer, Attribute):
            if answer.read is not None:
                return f"{self._source.constant(f'f{position.number}', answer.read)}({parent}, {answer.name!r})"
            is_name = answer.name.isidentifier() and not iskeyword(answer.name)
            return f"{parent}.{answer.name}" if is_name else f"getattr({parent}, {answer.name!r})"
        assert isinstance(answer, Call), "the others are deferred or known"
        given = [parent] if answer.takes_self else []
        given += [f"{name}={parent}" for name in answer.root_names]
        place = f"{self._source.constant(f'P{position.number}', position)}, {self._source.place(template)}"
        if answer.info_name is not None:
            given.append(f"{answer.info_name}={self._source.constant('make_info', make_info)}(run, {place})")
        if answer.arguments is not None:
            given.append(f"**{self._source.constant(f'a{position.number}', answer.arguments.of)}(run, {place})")
        return f"{self._source.constant(f'f{position.number}', answer.function)}({', '.join(given)})"

    def value(self, position: Position, template: Template, depth: int, blocks: int) -> str:
        """Completes the variable `v…` of a position; the name of the variable that holds the result afterwards."""
        if is_leaf_type(position.type):
            self._leaf(position, template, depth)
            return f"v{position.number}"
        result = f"r{position.number}"
        if blocks >= MAX_BLOCKS:
            value = f"run.plan.value(P{position.number}, {self._is_resolved})"
            call = f"{value}(run, v{position.number}, {self._source.place(template)})"
            self._source.constant(f"P{position.number}", position)
            self._source.risk(depth, f"{result} = {call}", position, template)
            self._is_resolved = False
        elif is_list_type(position.type):
            self._list(position, template, depth, blocks, result)
        elif is_abstract_type(position.type):
            self._abstract(position, template, depth, result)
        else:
            self._object(position, template, depth, blocks, result)
        return result

    def _slow(self, function: str, position: Position, template: Template) -> str:
        """A call of the slow path. Only the first value of a function can have been waited for."""
        name = self._source.constant(f"P{position.number}", position)
        is_resolved, self._is_resolved = self._is_resolved, False
        return f"{function}(run, {name}, v{position.number}, {self._source.place(template)}, {is_resolved})"

    def _leaf(self, position: Position, template: Template, depth: int) -> None:
        source, number = self._source, position.number
        variable = f"v{number}"
        slow = f"{variable} = {self._slow('leaf', position, template)}"
        odd = odd_value_test(position.type, variable)
        if odd is not None:
            test = f"{odd} and {variable} is not None" if position.is_nullable else odd
            source.risk(depth, f"if {test}: {slow}", position, template)
            return
        names = enum_names(position.type)
        if names is not None:
            source.constant(f"E{number}", names[0])
            source.constant(f"N{number}", names[1])
            fast = f"if {variable}.__class__ is E{number}: {variable} = N{number}[{variable}._name_]"
            source.risk(depth, fast, position, template)
        else:
            source.constant(f"k{number}", position.admitted)
            source.constant(f"c{number}", position.type.coerce_output_value)  # type: ignore[union-attr]
            source.risk(depth, f"if {variable}.__class__ in k{number}:", position, template)
            source.risk(depth + 1, f"w = c{number}({variable})", position, template)
            source.constant("Undefined", Undefined)
            test = "w is None or w is Undefined"
            source.risk(depth + 1, f"if {test}: raise uncoerced(P{number}, {variable}, w)", position, template)
            source.line(depth + 1, f"{variable} = w")
        other = f"elif {variable} is not None:" if position.is_nullable else "else:"
        source.risk(depth, f"{other} {slow}", position, template)

    def _list(self, position: Position, template: Template, depth: int, blocks: int, result: str) -> None:
        source, item = self._source, position.item
        assert item is not None, "a list has items"
        variable, index, items = f"v{position.number}", f"i{position.number}", f"l{position.number}"
        slow = self._slow("listed", position, template)
        source.risk(depth, f"{items} = {variable} if {variable}.__class__ in LISTS else {slow}", position, template)
        source.line(depth, f"if {items} is not None:")
        source.constant("LISTS", _LISTS)
        source.line(depth + 1, f"{result} = []; add{position.number} = {result}.append")
        source.loops.append(index)
        inner_template = (*template, len(source.loops) - 1)
        source.risk(depth + 1, f"for {index}, v{item.number} in enumerate({items}):", position, template)
        if item.is_nullable:
            begun = self.begin(depth + 2)
            made = self.value(item, inner_template, depth + 3, blocks + 2)
            self.handler(depth + 2, begun, f"{made} = null", inner_template)
        else:
            made = self.value(item, inner_template, depth + 2, blocks + 1)
        source.line(depth + 2, f"add{position.number}({made})")
        source.line(depth, f"else: {result} = None")

    def _object(self, position: Position, template: Template, depth: int, blocks: int, result: str) -> None:
        source, number = self._source, position.number
        [fields] = position.objects.values()
        source.constant(f"k{number}", position.admitted)
        test = f"v{number}.__class__ in k{number}"
        if not is_judged_by_class(position):
            test = "False"
        source.risk(depth, f"if {test} or {self._slow('admit', position, template)}:", position, template)
        made = self.object_body(fields, f"v{number}", template, depth + 1, blocks)
        source.line(depth + 1, f"{result} = {made}")
        source.line(depth, f"else: {result} = None")

    def _abstract(self, position: Position, template: Template, depth: int, result: str) -> None:
        source, number = self._source, position.number
        source.constant(f"k{number}", position.bodies)
        slow = self._slow("kind", position, template)
        source.risk(depth, f"b = k{number}.get(v{number}.__class__) or {slow}", position, template)
        call = f"b(run, v{number}, {source.place(template)})"
        source.risk(depth, f"{result} = None if b is None else {call}", position, template)


def is_judged_by_class(position: Position) -> bool:
    """Whether the class of a value says everything about its being of the object type."""
    is_type_of = getattr(position.type, "is_type_of", None)
    return is_type_of is None or bool(getattr(is_type_of, BY_CLASS_ATTRIBUTE, False))
