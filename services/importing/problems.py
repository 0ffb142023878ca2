"""Collects what is wrong with rows: named and skipped, or in a strict import raised at once."""

from __future__ import annotations

from services.importing.errors import ImportRowError
from services.importing.summary import MAX_LISTED, RowProblem


class BadRowError(ValueError):
    """A row cannot be imported; the message says why. Stays inside the reading."""


class RowProblems:
    """The malformed rows of one import."""

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._listed: list[RowProblem] = []
        self.count = 0

    def add(self, file: str, line: int, message: str) -> None:
        """Notes a malformed row. Raises ImportRowError when strict."""
        if self._strict:
            raise ImportRowError(file, line, message)
        self.count += 1
        if len(self._listed) < MAX_LISTED:
            self._listed.append(RowProblem(file, line, message))

    @property
    def listed(self) -> tuple[RowProblem, ...]:
        return tuple(self._listed)
