"""Errors on their way to the place that they null, and where in a response a value stands."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeAlias

from graphql import FieldNode, GraphQLError, located_error

Template: TypeAlias = tuple[str | int, ...]
"""Path of a value within one generated function: response names, and for list indices which of the function's loops it is."""

Place: TypeAlias = tuple[Template, tuple[Any, ...]]
"""Where a value stands: a template, and (the place at which the function began or None, the loops' indices now)."""


class NotCompilableError(Exception):
    """This operation is graphql-core's to execute; the message says why."""


class CompilerFaultError(BaseException):
    """A mistake of this package while an operation was executed: graphql-core has to answer. No handler of a field takes it."""


class PropagatedError(Exception):
    """An error that has its path and goes up to the nearest value that may be null."""

    def __init__(self, error: GraphQLError) -> None:
        super().__init__(error.message)
        self.error = error


class Failed:
    """Stands in the place of a value that could not be had."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


def keys_of(place: Place | None) -> list[str | int]:
    """The path as a response shows it."""
    if place is None:
        return []
    template, loops = place
    return keys_of(loops[0]) + [key if isinstance(key, str) else loops[key] for key in template]


def locate(error: Exception, nodes: Collection[FieldNode], place: Place) -> GraphQLError:
    """The error with its path and its places in the document."""
    if isinstance(error, PropagatedError):
        return error.error
    return located_error(error, nodes, keys_of(place))
