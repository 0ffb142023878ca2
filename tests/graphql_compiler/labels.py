"""Names of parameters that are the same in every process: whoever shares out the tests compares them."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_LENGTH = 60


def label(value: object) -> str:
    """The value as text, without addresses."""
    return _ADDRESS.sub("", str(value))[:_LENGTH]
