"""The log file of one embedded server: kept across starts, bounded, and quoted where a start fails."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

_KEPT_BYTES = 8 * 1024 * 1024
_QUOTED_BYTES = 2_000


def open_log(path: Path) -> BinaryIO:
    """Opens for appending; a file that has grown beyond 8 MiB becomes `NAME.old` first."""
    if path.exists() and path.stat().st_size > _KEPT_BYTES:
        os.replace(path, path.with_name(path.name + ".old"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")


def written_since(path: Path, offset: int) -> str:
    """What the log has gained beyond `offset` bytes, at most its last 2,000 bytes."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(offset, end - _QUOTED_BYTES))
        return file.read().decode(errors="replace").strip()
