"""How generated functions come by the value of a field that is answered in place."""

from __future__ import annotations

from keyword import iskeyword

from graphql_compiler.answers import Attribute, Call, Itself, Typename
from graphql_compiler.failures import Template
from graphql_compiler.info import make_info, shared_info
from graphql_compiler.shape import Field
from graphql_compiler.values import ValueWriter


def read_expression(writer: ValueWriter, field: Field, parent: str, template: Template) -> str:
    """An expression for the value. `parent`: the variable that holds its object."""
    answer, position = field.answer, field.value
    if isinstance(answer, Itself):
        return parent
    if isinstance(answer, Typename):
        return repr(field.parent_type.name)
    if isinstance(answer, Attribute):
        if answer.read is not None:
            return f"{writer.constant_of('f', position, answer.read)}({parent}, {answer.name!r})"
        is_name = answer.name.isidentifier() and not iskeyword(answer.name)
        return f"{parent}.{answer.name}" if is_name else f"getattr({parent}, {answer.name!r})"
    assert isinstance(answer, Call), "the others are deferred or known"
    given = [parent] if answer.takes_self else []
    given += [f"{name}={parent}" for name in answer.root_names]
    place = f"{writer.constant_of('P', position, position)}, {writer.source.place(template)}"
    if answer.is_native:
        given.append(_shared_info(writer, field, is_native=True))
    elif answer.info_name is not None:
        info = f"{writer.source.constant('make_info', make_info)}(run, {place})"
        if answer.is_stable:
            info = _shared_info(writer, field, is_native=False)
        given.append(f"{answer.info_name}={info}")
    if [each.partition("=")[0] for each in given] == answer.first_names[: len(given)]:
        given = [each.partition("=")[2] for each in given]
    if answer.arguments is not None:
        given.append(f"**{writer.constant_of('a', position, answer.arguments.of)}(run, {place})")
    return f"{writer.constant_of('f', position, answer.function)}({', '.join(given)})"


def _shared_info(writer: ValueWriter, field: Field, *, is_native: bool) -> str:
    name = f"I{field.value.number}"
    make, position = writer.source.constant("shared_info", shared_info), writer.constant_of("P", field.value, field.value)
    writer.source.first(f"{name} = {make}(run, {position}, {is_native})")
    return name
