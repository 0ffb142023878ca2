"""Writes what completes single values: the usual ones told at a glance, everything else on the slow path."""

from __future__ import annotations

from typing import Any

from graphql import Undefined, is_leaf_type

from graphql_compiler import slow_path
from graphql_compiler.failures import Template
from graphql_compiler.leaves import enum_names, odd_value_test
from graphql_compiler.protocol import BY_CLASS_ATTRIBUTE
from graphql_compiler.shape import Position
from graphql_compiler.source import Source

_LISTS = frozenset({list, tuple})


class ValueWriter:
    """Writes into a source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        for name in ("leaf", "uncoerced", "listed", "admit", "kind"):
            source.constant(name, getattr(slow_path, name))

    @staticmethod
    def result_name(position: Position) -> str:
        """The variable that holds a completed value."""
        return f"{'v' if is_leaf_type(position.type) else 'r'}{position.number}"

    def constant_of(self, letter: str, position: Position, value: Any) -> str:
        """The name under which the function finds something that belongs to a position."""
        return self.source.constant(f"{letter}{position.number}", value)

    def leaf(self, position: Position, template: Template, depth: int, is_resolved: bool) -> None:
        """Completes a scalar or enum."""
        source, number = self.source, position.number
        variable = f"v{number}"
        slow = f"{variable} = {self._slow('leaf', position, template, is_resolved)}"
        odd = odd_value_test(position.type, variable)
        if odd is not None:
            test = f"{odd} and {variable} is not None" if position.is_nullable else odd
            source.risk(depth, f"if {test}: {slow}", position, template)
            return
        names = enum_names(position.type)
        if names is not None:
            members = self.constant_of("E", position, names[0])
            public = self.constant_of("N", position, names[1])
            fast = f"if {variable}.__class__ is {members}: {variable} = {public}[{variable}._name_]"
            source.risk(depth, fast, position, template)
        else:
            admitted = self.constant_of("k", position, position.admitted)
            coerce = self.constant_of("c", position, position.type.coerce_output_value)  # type: ignore[union-attr]
            name = self.constant_of("P", position, position)
            source.risk(depth, f"if {variable}.__class__ in {admitted}:", position, template)
            source.risk(depth + 1, f"w = {coerce}({variable})", position, template)
            source.constant("Undefined", Undefined)
            test = "w is None or w is Undefined"
            source.risk(depth + 1, f"if {test}: uncoerced({name}, {variable}, w)", position, template)
            source.line(depth + 1, f"{variable} = w")
        other = f"elif {variable} is not None:" if position.is_nullable else "else:"
        source.risk(depth, f"{other} {slow}", position, template)

    def begin_list(self, position: Position, template: Template, depth: int, is_resolved: bool) -> tuple[str, Template]:
        """What comes before the loop of a list: the name of its index, and where an item stands."""
        source, number = self.source, position.number
        variable, index, items, result = f"v{number}", f"i{number}", f"l{number}", f"r{number}"
        slow = self._slow("listed", position, template, is_resolved)
        source.constant("LISTS", _LISTS)
        source.risk(depth, f"{items} = {variable} if {variable}.__class__ in LISTS else {slow}", position, template)
        source.line(depth, f"if {items} is not None:")
        source.line(depth + 1, f"{result} = []; add{number} = {result}.append")
        source.loops.append(index)
        return index, (*template, len(source.loops) - 1)

    def begin_object(self, position: Position, template: Template, depth: int, is_resolved: bool) -> None:
        """The condition under which a value is an object of its type."""
        slow = self._slow("admit", position, template, is_resolved)
        admitted = self.constant_of("k", position, position.admitted)
        test = f"v{position.number}.__class__ in {admitted} or " if is_judged_by_class(position) else ""
        self.source.risk(depth, f"if {test}{slow}:", position, template)

    def abstract(self, position: Position, template: Template, depth: int, is_resolved: bool) -> None:
        """Completes an object whose type is found out by its class, or on the slow path."""
        source, number = self.source, position.number
        bodies = self.constant_of("k", position, position.bodies)
        slow = self._slow("kind", position, template, is_resolved)
        source.risk(depth, f"b = {bodies}.get(v{number}.__class__) or {slow}", position, template)
        call = f"b(run, v{number}, {source.place(template)})"
        source.risk(depth, f"r{number} = None if b is None else {call}", position, template)

    def _slow(self, function: str, position: Position, template: Template, is_resolved: bool) -> str:
        name = self.constant_of("P", position, position)
        return f"{function}(run, {name}, v{position.number}, {self.source.place(template)}, {is_resolved})"


def is_judged_by_class(position: Position) -> bool:
    """Whether the class of a value says everything about its being of the object type."""
    is_type_of = getattr(position.type, "is_type_of", None)
    return is_type_of is None or bool(getattr(is_type_of, BY_CLASS_ATTRIBUTE, False))
