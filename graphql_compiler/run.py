"""One execution of a compiled operation: what it was given, what it has found, and what is still awaited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import CORO_CREATED, getcoroutinestate, iscoroutine
from typing import TYPE_CHECKING, Any, TypeAlias

from graphql import GraphQLError
from graphql.execution.values import VariableValues, get_variable_values

from graphql_compiler.failures import Place, keys_of
from graphql_compiler.shape import Position

if TYPE_CHECKING:
    from graphql_compiler.arguments import Arguments, NativeArguments
    from graphql_compiler.plan import Plan

Path: TypeAlias = tuple[str | int, ...]

Pending: TypeAlias = tuple[Position, dict[str, Any], Any, Place]
"""A value that is loaded or awaited: where it stands, its object in the answer, the parent value, and where that stands."""

Late: TypeAlias = tuple[Position, Place, Awaitable[Any]]
"""A value that turned out to be awaitable."""


class Run:
    """The state of one execution. `has_begun`: a resolver of a mutation's own field was called; `unkept`: how many values had
    to be loaded that a record might have had at hand: nothing in which they stand is kept."""

    __slots__ = (
        "_variable_values", "arguments", "context", "data", "errors", "has_begun", "infos", "late", "nulled", "pending", "plan",
        "put", "raw_variables", "root", "unkept", "variables",
    )  # fmt: skip

    pending: list[Pending]
    put: Callable[[Pending], None]
    late: list[Late]

    def __init__(
        self,
        plan: Plan,
        root: Any,
        context: Any,
        variables: dict[str, Any],
        raw_variables: dict[str, Any],
        values: VariableValues | None = None,
    ) -> None:
        """`values`: the variables as graphql-core has coerced them, if it was asked."""
        self.plan = plan
        self.root = root
        self.context = context
        self.variables = variables
        self.raw_variables = raw_variables
        self.arguments: dict[Arguments | NativeArguments, dict[str, Any]] = {}
        self.data: Any = None
        self.errors: list[GraphQLError] = []
        self.nulled: set[Path] = set()
        self.late = []
        self.pending = []
        self.put = self.pending.append
        self.has_begun = False
        self.unkept = 0
        self.infos: dict[Position, Any] = {}
        self._variable_values = values

    def take(self) -> tuple[list[Pending], list[Late]]:
        """What is awaited now; from here on it is collected anew."""
        pending, late = self.pending, self.late
        self.pending, self.late = [], []
        self.put = self.pending.append
        if late:
            # Resolvers that are no coroutine functions may ask loaders, too, and hand on what they get.
            self.plan.is_batched = False
        if self.nulled:
            kept = [each for each in late if not self.is_nulled(keys_of(each[1]))]
            forget(each[2] for each in late if each not in kept)
            return [each for each in pending if not self.is_nulled(keys_of(each[3]))], kept
        return pending, late

    @property
    def unlasting(self) -> int:
        """Grows with every value that came, or will come, from elsewhere than the records."""
        return len(self.late) + self.unkept

    @property
    def variable_values(self) -> VariableValues:
        """The variables as graphql-core's functions want them."""
        if self._variable_values is None:
            definitions = self.plan.operation.variable_definitions or ()
            values = get_variable_values(self.plan.schema, definitions, self.raw_variables)
            assert isinstance(values, VariableValues), "they were coerced before"
            self._variable_values = VariableValues(values.sources, self.variables)
        return self._variable_values

    def add_error(self, error: GraphQLError, path: list[str | int]) -> None:
        """Notes an error that nulls the value at `path`; nothing where that is nulled already."""
        if self.nulled and self.is_nulled(path):
            return
        self.nulled.add(tuple(path))
        self.errors.append(error)

    def is_nulled(self, path: list[str | int]) -> bool:
        """Whether the value, or one around it, is null by an error."""
        nulled = self.nulled
        return any(tuple(path[:length]) in nulled for length in range(len(path) + 1))

    def fail(self, position: Position, place: Place, error: GraphQLError) -> None:
        """An error of a value that came late: nulls what is nulled by it in the data."""
        path = keys_of(place)
        steps = position.up_to_nullable()
        path = [] if steps is None else path[: len(path) - steps]
        if self.is_nulled(path):
            return
        self.add_error(error, path)
        if not path:
            self.data = None
            return
        container = self.find(path[:-1])
        if container is not None:
            container[path[-1]] = None

    def find(self, path: list[str | int]) -> Any:
        """What stands in the data at `path`; None where it was nulled."""
        at = self.data
        for key in path:
            if at is None:
                return None
            at = at[key]
        return at


def forget(awaitables: Any) -> None:
    """Nobody wants them any more: coroutines that have not begun are closed, so that nobody is warned of them."""
    for each in awaitables:
        if iscoroutine(each) and getcoroutinestate(each) == CORO_CREATED:
            each.close()
