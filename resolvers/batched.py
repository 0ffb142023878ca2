"""Marks for the compiler of operations: what can be loaded for whole lists, and what never changes.

See `graphql_compiler/protocol.py`. A batched resolver itself is what graphql-core calls, value by value. The mark says the same
in three parts: which loader, which key, and what becomes of the loaded value. A test executes both ways and compares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from resolvers.context import OperationContext

R = TypeVar("R", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Batch:
    """`loader`: None where nothing is loaded for this viewer. `key`: None where nothing is loaded for this value; as a string
    the name of the attribute that says so. `is_many`: it gives a sequence of keys, and `finish` gets a list.

    `finish`: the resolver's answer from (parent value, what was loaded or None, context); without it, what was loaded.
    `finish_name`: of all that was loaded, `finish` gives the attribute of this name. `at_hand`: the name of the attribute that
    may hold what would be loaded.
    """

    loader: Callable[[OperationContext], Any]
    key: str | Callable[[Any, OperationContext], Any]
    finish: Callable[[Any, Any, OperationContext], Any] | None = None
    is_many: bool = False
    finish_name: str | None = None
    at_hand: str | None = None


def stable(resolver: R) -> R:
    """Marks a resolver that is no coroutine function, and whose answer hangs on its record alone while the process lives."""
    resolver.is_stable = True  # type: ignore[attr-defined]
    return resolver


def batched(
    *,
    loader: Callable[[OperationContext], Any],
    key: str | Callable[[Any, OperationContext], Any],
    finish: Callable[[Any, Any, OperationContext], Any] | None = None,
    is_many: bool = False,
    finish_name: str | None = None,
    at_hand: str | None = None,
) -> Callable[[R], R]:
    """Marks the resolver below."""

    def mark(resolver: R) -> R:
        resolver.batch = Batch(loader, key, finish, is_many, finish_name, at_hand)  # type: ignore[attr-defined]
        return resolver

    return mark
