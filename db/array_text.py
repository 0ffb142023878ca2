"""Arrays of numbers as PostgreSQL reads them from text: `CAST(CAST(:ids AS text) AS bigint[])`.

The driver examines and writes an array element by element, which takes ten times as long: worth it where a statement is sent
thousands of times a second.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson


def array_text(numbers: Iterable[int]) -> str:
    """The numbers, of 64 bits, as an array's text, which never needs quoting."""
    # JSON's array but for the brackets, written in a fifth of the time that a text for each number takes.
    return "{" + orjson.dumps([*numbers])[1:-1].decode() + "}"
