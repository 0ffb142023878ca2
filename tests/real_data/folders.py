"""Where the real data sets stand: beside the checkout, never in it."""

from __future__ import annotations

from pathlib import Path

import pytest

_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def real_folder(name: str) -> Path:
    """The folder of a real data set. Skips the test where it is absent."""
    folder = _DATA / name
    if not folder.is_dir():
        pytest.skip(f"the real data set {name} is not there: ../shared/data/{name}")
    return folder
