"""CSV records with the number of the line where each begins; a damaged one costs only itself.

The csv module alone would let a single unclosed quote swallow thousands of good rows.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from services.importing.errors import ImportFilesError
from services.importing.problems import RowProblems
from services.importing.read_fields import decode

_MAX_LINES = 100
"""Lines that one quoted field may span."""


class CsvTable:
    """A CSV file with a header: its columns by name, its records one by one."""

    def __init__(self, path: Path, lines: Iterator[tuple[int, bytes]], problems: RowProblems, needed: set[str]) -> None:
        """Reads the header. Raises ImportFilesError where it is missing, or lacks one of the `needed` columns."""
        self._path = path
        self._lines = lines
        self._problems = problems
        self._pending: deque[tuple[int, str]] = deque()
        header = next(self._records(), None)
        names = [name.strip() for name in header[1]] if header else []
        if missing := sorted(needed.difference(names)):
            raise ImportFilesError(path, f"has no column {', '.join(missing)} in its first line")
        self._columns = {name: index for index, name in reversed(list(enumerate(names)))}
        self._width = len(names)

    def column(self, name: str) -> int | None:
        """Where a column stands; None if the file has none of that name."""
        return self._columns.get(name)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(line, fields) of every record that has as many fields as the header."""
        for line, fields in self._records():
            if len(fields) == self._width:
                yield line, fields
            else:
                self._problems.add(self._path.name, line, f"has {len(fields)} fields, and the header names {self._width}")

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        # `_next_line` unrolled: this is the innermost loop of an import.
        lines, pending = self._lines, self._pending
        while True:
            if pending:
                number, text = pending.popleft()
            else:
                number, raw = next(lines, (0, b""))
                if not number:
                    return
                text = raw.decode("utf-8", "surrogateescape")
            if '"' not in text:
                if text:
                    yield number, text.split(",")
                continue
            record = self._complete(text)
            fields = _fields(record) if record is not None else None
            if fields is None:
                self._problems.add(self._path.name, number, "has a quote that is never closed, or stands astray")
            else:
                yield number, fields

    def _complete(self, text: str) -> str | None:
        """The record that begins with this line, following lines included; None where its quote is not closed soon."""
        taken: list[tuple[int, str]] = []
        parts = [text]
        quotes = text.count('"')
        while quotes % 2:
            following = self._next_line() if len(taken) < _MAX_LINES else None
            if following is None:
                self._pending.extendleft(reversed(taken))
                return None
            taken.append(following)
            parts.append(following[1])
            quotes += following[1].count('"')
        return "\n".join(parts)

    def _next_line(self) -> tuple[int, str] | None:
        if self._pending:
            return self._pending.popleft()
        found = next(self._lines, None)
        return (found[0], decode(found[1])) if found else None


def _fields(record: str) -> list[str] | None:
    try:
        rows = list(csv.reader([record], strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None
