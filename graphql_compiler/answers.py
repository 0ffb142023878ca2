"""How the fields of a Strawberry schema are answered, as far as that can be compiled."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from keyword import iskeyword
from operator import attrgetter
from typing import Any, TypeAlias

from graphql import FieldNode, GraphQLField, GraphQLObjectType, is_introspection_type
from strawberry.schema import Schema
from strawberry.types.field import StrawberryField

from graphql_compiler.arguments import Arguments, NativeArguments
from graphql_compiler.failures import NotCompilableError
from graphql_compiler.protocol import AT_HAND_ATTRIBUTE, BATCH_ATTRIBUTE, STABLE_ATTRIBUTE, BatchedField

_DEFINITION = "strawberry-definition"
_INTROSPECTION = frozenset({"__schema", "__type"})
_MADE_BY_STRAWBERRY = ("GraphQLCoreConverter.from_resolver.", "GraphQLCoreConverter.from_field.")


@dataclass(frozen=True, slots=True)
class Typename:
    """`__typename`: known before anything runs."""


@dataclass(frozen=True, slots=True)
class Itself:
    """The parent value: the root field of a subscription is given its event."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """A plain attribute of the parent value. `read`: what the schema reads attributes with; None: getattr."""

    name: str
    read: Callable[[Any, str], Any] | None


@dataclass(frozen=True, slots=True)
class Call:
    """A resolver. Its parameters besides the field's arguments: the parent value (positional or by names) and the info.

    `first_names`: of the parameters that may be given by position too. `is_native`: it is one of graphql-core's own, for
    introspection.
    """

    function: Callable[..., Any]
    is_async: bool
    takes_self: bool
    root_names: tuple[str, ...]
    info_name: str | None
    arguments: Arguments | NativeArguments | None
    is_stable: bool
    first_names: list[str]
    is_native: bool = False


@dataclass(frozen=True, slots=True)
class Batched:
    """A loader's batch function answers for a whole list. `key_name`: the parent's attribute that `key` reads, if it is one;
    `at_hand`: the one that may hold the loaded value, if there is one."""

    batch: BatchedField
    key: Callable[[Any, Any], Any]
    key_name: str | None
    is_many: bool
    at_hand: str | None


Answer: TypeAlias = Typename | Itself | Attribute | Call | Batched


def find_answer(
    schema: Schema,
    parent_type: GraphQLObjectType,
    definition: GraphQLField,
    node: FieldNode,
    *,
    is_subscription_root: bool,
    hide_suggestions: bool,
) -> Answer:
    """How a field is answered. Raises NotCompilableError."""
    name = node.name.value
    if (is_introspection_type(parent_type) or name in _INTROSPECTION) and definition.resolve is not None:
        arguments = NativeArguments(definition, node, hide_suggestions=hide_suggestions) if definition.args else None
        return Call(definition.resolve, False, True, (), None, arguments, True, [], True)
    field = definition.extensions.get(_DEFINITION)
    if not isinstance(field, StrawberryField):
        raise NotCompilableError(f"{name}: not a field of Strawberry")
    resolve = definition.resolve
    if not getattr(resolve, "__qualname__", "").startswith(_MADE_BY_STRAWBERRY):
        raise NotCompilableError(f"{name}: has a resolve function of its own")
    if is_subscription_root:
        return Itself()
    if field.extensions:
        raise NotCompilableError(f"{name}: field extensions or permission classes")
    if type(field).get_result is not StrawberryField.get_result:
        raise NotCompilableError(f"{name}: a field class with a get_result of its own")
    if schema.schema_converter.exception_handlers:
        raise NotCompilableError(f"{name}: exception handlers")
    resolver = field.base_resolver
    if resolver is None:
        read = field.default_resolver
        return Attribute(field.python_name, None if read is getattr else read)
    function = resolver.wrapped_func
    if not callable(function):
        raise NotCompilableError(f"{name}: its resolver cannot be called")
    if inspect.isasyncgenfunction(function):
        raise NotCompilableError(f"{name}: an async generator")
    batch = getattr(function, BATCH_ATTRIBUTE, None)
    if batch is not None and not field.arguments:
        return _batched(batch)
    # Both names may be bound to the same parameter.
    roots = [parameter.name for parameter in (resolver.parent_parameter, resolver.root_parameter) if parameter is not None]
    return Call(
        function,
        field.is_async,
        resolver.self_parameter is not None,
        tuple(dict.fromkeys(roots)),
        resolver.info_parameter.name if resolver.info_parameter is not None else None,
        Arguments(schema, definition, node, field, hide_suggestions=hide_suggestions) if definition.args else None,
        bool(getattr(function, STABLE_ATTRIBUTE, False)) and not field.is_async and not definition.args,
        _first_names(function),
    )


def _first_names(function: Callable[..., Any]) -> list[str]:
    if not inspect.isfunction(function) or hasattr(function, "__wrapped__"):
        return []
    code = function.__code__
    return list(code.co_varnames[code.co_posonlyargcount : code.co_argcount]) if not code.co_posonlyargcount else []


def _batched(batch: BatchedField) -> Batched:
    key, is_many = batch.key, bool(getattr(batch, "is_many", False))
    at_hand = None if is_many else getattr(batch, AT_HAND_ATTRIBUTE, None)
    if at_hand is not None and (not at_hand.isidentifier() or iskeyword(at_hand)):
        at_hand = None
    if not isinstance(key, str):
        return Batched(batch, key, None, is_many, at_hand)
    read = attrgetter(key)
    return Batched(batch, lambda root, _context: read(root), key if key.isidentifier() else None, is_many, at_hand)
