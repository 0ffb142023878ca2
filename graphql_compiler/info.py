"""The info object of a resolver call, put together only as far as it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import GraphQLResolveInfo
from graphql.pyutils import Path, gather_with_cancel, is_awaitable
from graphql.type import GraphQLResolveInfoHelpers
from strawberry.schema import schema as strawberry_schema
from strawberry.types.info import Info

from graphql_compiler.failures import keys_of

if TYPE_CHECKING:
    from graphql_compiler.failures import Place
    from graphql_compiler.run import Run
    from graphql_compiler.shape import Position

# Strawberry's own class has a field more (the request's extensions); without it, graphql-core's serves.
_RAW_INFO: Any = getattr(strawberry_schema, "_OperationContextAwareGraphQLResolveInfo", None)


class _LazyInfo(Info[Any, Any]):
    """Strawberry's info. Most resolvers want the context and nothing else."""

    def __init__(self, run: Run, position: Position, place: Place | None) -> None:
        self._run = run
        self._position = position
        self._place = place

    @property
    def _raw_info(self) -> GraphQLResolveInfo[Any]:  # type: ignore[override]
        return make_raw_info(self._run, self._position, self._place or _somewhere(self._position))

    @property
    def _field(self) -> Any:  # type: ignore[override]
        return self._position.field.strawberry_field

    @property
    def context(self) -> Any:
        return self._run.context

    @property
    def root_value(self) -> Any:
        return self._run.root


def make_info(run: Run, position: Position, place: Place) -> Info[Any, Any]:
    """What a resolver gets as `info`. `place`: of the field."""
    info_class = run.plan.info_class
    if info_class is Info:
        return _LazyInfo(run, position, place)
    made: Info[Any, Any] = info_class(_raw_info=make_raw_info(run, position, place), _field=position.field.strawberry_field)
    return made


def shared_info(run: Run, position: Position, is_native: bool) -> Any:
    """One for all values of a field whose resolver does not ask where it stands: its path says nothing of lists.

    `is_native`: it is graphql-core's own, for introspection.
    """
    made = run.infos.get(position)
    if made is None:
        if not is_native and run.plan.info_class is Info:
            # Hardly anybody asks where it stands.
            made = _LazyInfo(run, position, None)
        else:
            made = (make_raw_info if is_native else make_info)(run, position, _somewhere(position))
        run.infos[position] = made
    return made


def _somewhere(position: Position) -> Place:
    keys: list[str | int] = []
    at: Position | None = position
    while at is not None:
        keys.append(at.key if at.key is not None else 1)
        at = at.parent
    return tuple(keys[::-1]), (None, 0)


def make_raw_info(run: Run, position: Position, place: Place) -> GraphQLResolveInfo[Any]:
    """What graphql-core would have given."""
    field = position.field
    plan = run.plan
    values: tuple[Any, ...] = (
        field.nodes[0].name.value,
        field.nodes,
        field.definition.type,
        field.parent_type,
        _path(position, place),
        plan.schema,
        plan.fragment_definitions,
        run.root,
        plan.operation,
        run.variables,
        run.context,
        is_awaitable,
        None,
        GraphQLResolveInfoHelpers(gather=lambda values: gather_with_cancel(*values), track=lambda _values: None),
    )
    if _RAW_INFO is not None:
        raw: GraphQLResolveInfo[Any] = _RAW_INFO(*values, None)
        return raw
    return GraphQLResolveInfo(*values)


def _path(position: Position, place: Place) -> Path:
    """The path of the field, of whose value `position` may be an item."""
    keys = keys_of(place)
    at: Position | None = position
    while at is not None and at.key is None:
        keys.pop()
        at = at.parent
    owners: list[str | None] = []
    while at is not None:
        owners.append(None if at.key is None else at.field.parent_type.name)
        at = at.parent
    path: Path | None = None
    for key, owner in zip(keys, reversed(owners), strict=True):
        path = Path(path, key, owner)
    assert path is not None, "a field has a path"
    return path
