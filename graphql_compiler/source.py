"""Python source in the making: one function, its constants, and which line serves which value of the answer."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from graphql import FieldNode

from graphql_compiler.failures import Template
from graphql_compiler.shape import Position

GENERATED = "<graphql operation "
"""How the names of files begin that the functions are said to come from."""

_numbers = itertools.count(1)


class Source:
    """One function. Lines that can fail are noted: an exception's line number tells the value that it belongs to."""

    def __init__(self, name: str, parameters: str) -> None:
        self.name = name
        self.constants: dict[str, Any] = {}
        self.loops = ["p"]
        self._parameters = parameters
        self._templates: dict[Template, str] = {}
        self._first: dict[str, None] = {}
        self._lines: list[str] = []
        self._places: dict[int, tuple[list[FieldNode], Template]] = {}

    @property
    def length(self) -> int:
        """Lines so far."""
        return len(self._lines)

    def line(self, depth: int, text: str) -> None:
        """A line that cannot fail, or whose failure is noted elsewhere."""
        self._lines.append(" " * depth + text)

    def first(self, text: str) -> None:
        """A line that comes before all others, once."""
        self._first[f" {text}"] = None

    def risk(self, depth: int, text: str, position: Position, template: Template) -> None:
        """A line whose failure is this value's."""
        self.line(depth, text)
        self._places[len(self._lines)] = (position.field.nodes, template)

    def constant(self, name: str, value: Any) -> str:
        """The name under which the function finds a value."""
        self.constants[name] = value
        return name

    def indices(self) -> str:
        """The tuple of the function's beginning and its loops' indices, as far as there are loops yet."""
        return f"({', '.join(self.loops)},)"

    def lists(self, since: int) -> str:
        """The tuple of the lists that were begun since there were so many loops."""
        return f"({''.join(f'l{index[1:]}, ' for index in self.loops[since:])})"

    def place(self, template: Template) -> str:
        """An expression for where a value stands."""
        return f"({self.template(template)}, {self.indices()})"

    def template(self, template: Template) -> str:
        """The name of a template."""
        name = self._templates.get(template)
        if name is None:
            name = self._templates[template] = self.constant(f"T{len(self._templates)}", template)
        return name

    def build(self) -> Callable[..., Any]:
        """The function."""
        unset = " = ".join(f"{index} = l{index[1:]}" for index in self.loops[1:]) or "_"
        # What handlers read although it may not be set yet.
        head = [f"def {self.name}({self._parameters}):", f" put = run.put; {unset} = None", *self._first]
        self.constants["places"] = {number + len(head): place for number, place in self._places.items()}
        text = "\n".join(head + self._lines)
        exec(compile(text, f"{GENERATED}{next(_numbers)}>", "exec"), self.constants)  # noqa: S102 - this is the compiler
        made: Callable[..., Any] = self.constants[self.name]
        return made
