"""What generated functions call for values that are not as usual: null, wrong, late, or seen for the first time.

Late values are those that turn out to be awaitable where nothing said so. Messages are graphql-core's, by its own functions
wherever it has them. Each raises what belongs to the value that is being completed.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

from graphql import FieldNode, GraphQLError, Undefined, default_type_resolver, is_leaf_type
from graphql.execution import Executor
from graphql.execution.executor import invalid_return_type_error
from graphql.pyutils import inspect, is_awaitable, is_iterable

from graphql_compiler.failures import CompilerFaultError, Failed, Place, PropagatedError, Template, keys_of, locate
from graphql_compiler.faults import is_own_fault, refuse
from graphql_compiler.info import make_raw_info
from graphql_compiler.run import forget
from graphql_compiler.shape import ObjectBody, Position

if TYPE_CHECKING:
    from graphql_compiler.run import Run

_Places = dict[int, tuple[list[FieldNode], Template]]


def _error(failure: Exception, places: _Places, indices: tuple[Any, ...]) -> GraphQLError:
    assert failure.__traceback__ is not None, "it was raised"
    known = places.get(failure.__traceback__.tb_lineno)
    if known is None or is_own_fault(failure):
        raise CompilerFaultError from failure
    return locate(failure, known[0], (known[1], indices))


def null(
    run: Run, failure: Exception, places: _Places, indices: tuple[Any, ...], template: Template, lists: tuple[Any, ...]
) -> None:
    """Notes an error that ends at a value that may be null. `lists`: those that were being gone through."""
    _forget_rest(indices, lists)
    run.add_error(_error(failure, places, indices), keys_of((template, indices)))


def propagated(
    run: Run, failure: Exception, places: _Places, indices: tuple[Any, ...], template: Template, lists: tuple[Any, ...]
) -> PropagatedError:
    """The error on its way up."""
    _forget_rest(indices, lists)
    return PropagatedError(_error(failure, places, indices))


def _forget_rest(indices: tuple[Any, ...], lists: tuple[Any, ...]) -> None:
    """Coroutines among the items that nobody came to."""
    for items, index in zip(lists, indices[len(indices) - len(lists) :], strict=True):
        if items is not None:
            with suppress(Exception):
                forget(items[(index or 0) + 1 :] if isinstance(items, list | tuple) else items)


def _is_null(run: Run, position: Position, value: Any, place: Place, is_resolved: bool) -> bool:
    """Whether null is in this value's place, at least for now."""
    if isinstance(value, Failed):
        refuse(value.error)
    if not is_resolved and is_awaitable(value):
        run.late.append((position, place, value))
        return True
    if isinstance(value, Exception):
        refuse(value)
    if value is None or value is Undefined:
        if not position.is_nullable:
            refuse(_null_error(position))
        return True
    return False


def _null_error(position: Position) -> TypeError:
    field = position.field
    return TypeError(f"Cannot return null for non-nullable field {field.parent_type}.{field.nodes[0].name.value}.")


def leaf(run: Run, position: Position, value: Any, place: Place, is_resolved: bool) -> Any:
    """The value as it is written; None where it is null, or late."""
    if _is_null(run, position, value, place, is_resolved):
        return None
    assert is_leaf_type(position.type), "by its caller"
    written = Executor.complete_leaf_value(position.type, value)
    position.admitted.add(value.__class__)
    return written


def uncoerced(position: Position, value: Any, made: Any) -> NoReturn:
    """A scalar has made nothing of a value. Raises TypeError."""
    refuse(
        TypeError(
            f"Expected `{inspect(position.type)}.coerce_output_value({inspect(value)})`"
            f" to return non-nullable value, returned: {inspect(made)}"
        )
    )


def listed(run: Run, position: Position, value: Any, place: Place, is_resolved: bool) -> Iterable[Any] | None:
    """The items; None where the list is null, or late."""
    if _is_null(run, position, value, place, is_resolved):
        return None
    if hasattr(value, "__aiter__"):
        run.late.append((position, place, _drained(value)))
        return None
    if not is_iterable(value):
        field = position.field
        name = f"{field.parent_type}.{field.nodes[0].name.value}"
        refuse(GraphQLError(f"Expected Iterable, but did not find one for field '{name}'."))
    return value


async def _drained(items: AsyncIterable[Any]) -> list[Any]:
    return [item async for item in items]


def admit(run: Run, position: Position, value: Any, place: Place, is_resolved: bool) -> bool:
    """Whether the value is an object of the position's type; False where it is null, or late."""
    if _is_null(run, position, value, place, is_resolved):
        return False
    type_: Any = position.type
    _check_type(run, position, type_, value, place)
    position.admitted.add(value.__class__)
    _note_class(position, type_.name, value.__class__)
    return True


def _check_type(run: Run, position: Position, type_: Any, value: Any, place: Place) -> None:
    if type_.is_type_of is not None and not type_.is_type_of(value, make_raw_info(run, position, place)):
        refuse(invalid_return_type_error(type_, value, position.field.details))


def _note_class(position: Position, type_name: str, value_class: type) -> None:
    rendering = position.renderings.get(type_name)
    if rendering is not None:
        rendering.note(value_class)


def kind(run: Run, position: Position, value: Any, place: Place, is_resolved: bool) -> ObjectBody | None:
    """What completes the value, by its runtime type; None where it is null, or late."""
    if _is_null(run, position, value, place, is_resolved):
        return None
    abstract: Any = position.type
    info = make_raw_info(run, position, place)
    name = (abstract.resolve_type or default_type_resolver)(value, info, abstract)
    runtime_type = Executor.ensure_valid_runtime_type(
        SimpleNamespace(schema=run.plan.schema),  # type: ignore[arg-type]
        name,
        abstract,
        position.field.details,
        info,
        value,
    )
    _check_type(run, position, runtime_type, value, place)
    body = run.plan.body(position, runtime_type.name)
    _note_class(position, runtime_type.name, value.__class__)
    if run.plan.is_kind_by_class(position, value.__class__):
        position.bodies[value.__class__] = body
    return body
