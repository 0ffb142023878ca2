"""The server-side scripts, each one atomic step. Read once, when the process starts."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).resolve().parent


def source(*names: str) -> str:
    """The text of `NAME.lua`; of several as one script."""
    return "".join((_FOLDER / f"{name}.lua").read_text(encoding="utf-8") for name in names)
