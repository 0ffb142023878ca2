"""A file that is there under its name only when it is whole and on the disk."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self


class PartFile:
    """Written under a name of its own first. Whatever ends the block before `settle` leaves nothing. Blocks; raises OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def write(self, content: bytes) -> None:
        """Behind what is there; the first call makes the file and its folder."""
        if self._descriptor is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        view = memoryview(content)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def settle(self, path: Path) -> None:
        """Gives it its name: the content is on the disk before, the name afterwards."""
        assert self._descriptor is not None, "something was written"
        os.fsync(self._descriptor)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._path.unlink(missing_ok=True)
