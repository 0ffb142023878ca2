"""From the shape of an operation to the functions that answer it.

An object is answered in one go, in the order of its fields: attributes are read in place, objects and lists below it are
written out in place too, as far as Python allows nesting. What has to be waited for leaves null in its place and is *put* aside
with the object that it belongs to; `drain.py` loads all of that together and has it completed by a function of its own.

Nothing is paid for errors until there is one: each value that may be null has one `try` around it, and the number of the line
that failed tells which value below it was being completed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql_compiler.shape import Field, Position
from graphql_compiler.source import Source
from graphql_compiler.writer import Writer


def generate_root(fields: list[Field]) -> Callable[..., Any]:
    """`root(run, s)`: the data of a query or event, None where it is nulled."""
    source = Source("root", "run, s")
    writer = Writer(source)
    source.first("p = None")
    begun = writer.begin(1)
    source.line(2, f"return {writer.object_body(fields, 's', (), 2, 1)}")
    writer.handler(1, begun, "return null", ())
    return source.build()


def generate_serial(field: Field) -> Callable[..., Any]:
    """`serial(run, s, r)`: puts one field of a mutation into its data. Nulls the data where that fails."""
    source = Source("serial", "run, s, r")
    writer = Writer(source)
    source.first("p = None")
    begun = writer.begin(1)
    if field.is_deferred:
        source.line(2, f"r[{field.response_name!r}] = None")
        writer.put(field, "r", "s", (field.response_name,), 2)
    else:
        source.line(2, "run.has_begun = True")
        result = writer.field(field, "s", (field.response_name,), 2, 1)
        source.line(2, f"r[{field.response_name!r}] = {result}")
    writer.handler(1, begun, "run.data = null", ())
    return source.build()


def generate_value(position: Position, *, is_resolved: bool) -> Callable[..., Any]:
    """`value(run, v, p)`: completes one value. `is_resolved`: it has been waited for, so it is not waited for again."""
    source = Source("value", f"run, v{position.number}, p")
    writer = Writer(source)
    begun = writer.begin(1)
    result = writer.value(position, (), 2, 1, is_resolved=is_resolved)
    source.line(2, f"return {result}")
    writer.handler(1, begun, "return null" if position.is_nullable else "raise propagated", ())
    return source.build()


def generate_body(position: Position, type_name: str) -> Callable[..., Any]:
    """`body(run, s, p)`: completes an object whose type was found out at run time."""
    source = Source("body", "run, s, p")
    writer = Writer(source)
    begun = writer.begin(1)
    source.line(2, f"return {writer.object_body(position.objects[type_name], 's', (), 2, 1, position)}")
    writer.handler(1, begun, "raise propagated", ())
    return source.build()
