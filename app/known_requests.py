"""Requests that were read before: most come from a few applications, whose first pages differ in nothing but the token."""

from __future__ import annotations

from graphql import OperationType

from schema.execution import Operation
from services.memory.two_generations import TwoGenerations

MOST_BYTES = 4_096
"""Longer bodies are read each time."""
_ALL_BYTES = 200_000
"""Of all texts together. A parsed and compiled one takes up to 170 times as much memory as its text."""
_OVERHEAD = 200


class KnownRequests:
    """What the bodies of requests have asked for, byte by byte. Only good ones are remembered.

    An operation is executed any number of times and by anybody: nothing in it is of who asked.
    """

    def __init__(self) -> None:
        self._known: TwoGenerations[bytes, Operation] = TwoGenerations(_ALL_BYTES, weigh=_weigh)

    def recall(self, body: bytes) -> Operation | None:
        """None where it must be read."""
        return self._known.get(body)

    def remember(self, body: bytes, operation: Operation) -> None:
        """After it was answered. `body`: empty where there was none. Only queries are worth it."""
        if 0 < len(body) <= MOST_BYTES and operation.type is OperationType.QUERY:
            self._known.put(body, operation)


def _weigh(operation: Operation) -> int:
    source = operation.document.ast.loc
    return _OVERHEAD + (len(source.source.body) if source is not None else MOST_BYTES)
