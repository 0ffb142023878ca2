"""Why an import cannot go on."""

from __future__ import annotations

from pathlib import Path


class ImportFilesError(Exception):
    """The folder, or one file as a whole, cannot be read: absent, empty, damaged, without a needed column."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


class ImportRowError(Exception):
    """The first malformed row of a strict import. `line` counts from 1, the header included."""

    def __init__(self, file: str, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}")
        self.file = file
        self.line = line
        self.message = message
