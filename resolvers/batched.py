"""Marks a resolver as one whose field can be loaded for whole lists at once (see `graphql_compiler/protocol.py`).

The resolver itself is what graphql-core calls, value by value. The mark says the same in three parts, for the compiler: which
loader, which key, and what becomes of the loaded value. A test executes both ways and compares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from resolvers.context import OperationContext

R = TypeVar("R", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Batch:
    """`loader`: None where nothing is loaded for this viewer. `key`: None where nothing is loaded for this value.

    `finish`: the resolver's answer from (parent value, what was loaded or None, context); without it, what was loaded.
    """

    loader: Callable[[OperationContext], Any]
    key: Callable[[Any, OperationContext], Any]
    finish: Callable[[Any, Any, OperationContext], Any] | None = None


def batched(
    *,
    loader: Callable[[OperationContext], Any],
    key: Callable[[Any, OperationContext], Any],
    finish: Callable[[Any, Any, OperationContext], Any] | None = None,
) -> Callable[[R], R]:
    """Marks the resolver below."""

    def mark(resolver: R) -> R:
        resolver.batch = Batch(loader, key, finish)  # type: ignore[attr-defined]
        return resolver

    return mark
