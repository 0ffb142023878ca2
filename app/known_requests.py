"""Requests that were read before: most come from a few applications, whose first pages differ in nothing but the token."""

from __future__ import annotations

from graphql import OperationType

from schema.execution import Operation
from services.memory.two_generations import TwoGenerations

MOST = 1_000
MOST_BYTES = 4_096
"""Longer bodies are read each time."""


class KnownRequests:
    """What the bodies of requests have asked for, byte by byte. Only good ones are remembered.

    An operation is executed any number of times and by anybody: nothing in it is of who asked.
    """

    def __init__(self) -> None:
        self._known: TwoGenerations[bytes, Operation] = TwoGenerations(MOST)

    def recall(self, body: bytes) -> Operation | None:
        """None where it must be read."""
        return self._known.get(body)

    def remember(self, body: bytes, operation: Operation) -> None:
        """`body`: empty where there was none. Only queries are worth it."""
        if 0 < len(body) <= MOST_BYTES and operation.type is OperationType.QUERY:
            self._known.put(body, operation)
