"""Which files of a folder are imported, and their lines: plain or gzip, with or without BOM, any line ends."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from services.importing.errors import ImportFilesError


@dataclass(frozen=True, slots=True)
class ImportFiles:
    """What a folder holds, each group sorted by name."""

    users: tuple[Path, ...]
    follows: tuple[Path, ...]
    posts: tuple[Path, ...]
    activity: tuple[Path, ...]


def find_files(folder: Path) -> ImportFiles:
    """Looks for the known file names. Raises ImportFilesError without any, or where one is there plain and as gzip."""
    if not folder.is_dir():
        raise ImportFilesError(folder, "is not a folder" if folder.exists() else "does not exist")
    files = ImportFiles(
        users=_matching(folder, "users.csv"),
        follows=_matching(folder, "follows.csv"),
        posts=_matching(folder, "posts*.jsonl"),
        activity=_matching(folder, "*activity_time.txt"),
    )
    if not (files.users or files.follows or files.posts or files.activity):
        raise ImportFilesError(
            folder,
            "holds nothing to import: users.csv, follows.csv, posts*.jsonl, *activity_time.txt, each also with .gz",
        )
    return files


def _matching(folder: Path, pattern: str) -> tuple[Path, ...]:
    found = sorted(path for end in ("", ".gz") for path in folder.glob(pattern + end) if path.is_file())
    for path in found:
        if path.suffix == ".gz" and path.with_suffix("") in found:
            raise ImportFilesError(path, "is there without .gz too: which of the two is meant?")
    return tuple(found)


_PROGRESS_LINES = 20_000
_MAX_LINE_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"


def read_lines(path: Path, on_bytes: Callable[[int], None]) -> Iterator[tuple[int, bytes]]:
    """(line number from 1, line without its end). `on_bytes` hears now and then how many bytes of the file are read.

    A line over 1 MiB comes as its first MiB: too long for any row, so that it is refused as one. Raises
    ImportFilesError where the file cannot be read to its end.
    """
    try:
        with path.open("rb") as raw:
            source = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
            number = 0
            while line := source.readline(_MAX_LINE_BYTES):
                number += 1
                if number == 1:
                    line = line.removeprefix(_BOM)
                if not line.endswith(b"\n"):
                    while (rest := source.readline(_MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                        pass
                yield number, line.rstrip(b"\r\n")
                if number % _PROGRESS_LINES == 0:
                    on_bytes(raw.tell())
            on_bytes(raw.tell())
    except (OSError, EOFError, zlib.error) as error:
        raise ImportFilesError(path, f"cannot be read to its end: {error}") from error
