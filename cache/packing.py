"""Commands as they go over the wire: an array of bulk strings (https://redis.io/docs/latest/develop/reference/protocol-spec/)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import hiredis

Part = str | bytes | int | float
"""Of a command."""


def pack(command: Sequence[Part]) -> bytes:
    """A command. Raises TypeError where a part is neither text, bytes nor a number."""
    return cast("bytes", hiredis.pack_command(tuple(command)))  # type: ignore[arg-type]


def bulks(parts: Sequence[Part]) -> bytes:
    """Some parts of a command, without the array's head. Raises as `pack` does."""
    packed = pack(parts)
    return packed[packed.index(b"\n") + 1 :]
