"""64-bit ids that carry their own time: milliseconds (41 bits) | sequence (12) | shard (10).

PostgreSQL makes them (function `next_id`, migration 0001) from `clock_timestamp()`, so one clock orders all writers. The
milliseconds count from the Unix epoch (41 bits last until September 2039); the shard is the author's: the lowest ten bits of
the author's own id, so that posts can be spread over databases by author later without a new id. Feed order is this number.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta

SEQUENCE_BITS = 12
SHARD_BITS = 10
TIME_SHIFT = SEQUENCE_BITS + SHARD_BITS
SHARD_MASK = (1 << SHARD_BITS) - 1
DAY_MS = 86_400_000
"""Milliseconds of a UTC day: days begin at multiples of it."""
MAX_ID = (1 << 63) - 1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_MAX_GLOBAL_ID_LENGTH = 64


def milliseconds_of(entity_id: int) -> int:
    """Milliseconds since the Unix epoch at which the id was made."""
    return entity_id >> TIME_SHIFT


def created_at_of(entity_id: int) -> datetime:
    """The instant of the id, in UTC, to the millisecond. This is what clients see as `createdAt` of a post."""
    return _EPOCH + timedelta(milliseconds=entity_id >> TIME_SHIFT)


def first_id_at(milliseconds: int) -> int:
    """The smallest id that a millisecond can have; 0 for instants before the epoch."""
    return max(0, milliseconds) << TIME_SHIFT


def shard_of(author_id: int) -> int:
    """The logical shard (0 to 1023) that holds an author's posts."""
    return author_id & SHARD_MASK


def make_id(*, milliseconds: int, sequence: int, shard: int) -> int:
    """An id with a given time: for imports and tests; living posts get theirs from PostgreSQL.

    Raises ValueError where a part does not fit its bits.
    """
    if not 0 <= milliseconds < 1 << 41 or not 0 <= sequence < 1 << SEQUENCE_BITS or not 0 <= shard <= SHARD_MASK:
        raise ValueError(f"id parts out of range: milliseconds={milliseconds} sequence={sequence} shard={shard}")
    return milliseconds << TIME_SHIFT | sequence << SHARD_BITS | shard


def to_global_id(type_name: str, entity_id: int) -> str:
    """The opaque `ID` that clients see: the type's name and the number, in URL-safe base64 (Relay's convention)."""
    text = binascii.b2a_base64(f"{type_name}:{entity_id}".encode(), newline=False)
    return text.translate(_URL_SAFE, b"=").decode("ascii")


def from_global_id(global_id: str) -> tuple[str, int] | None:
    """(type name, number) of an id made by `to_global_id`; None for anything else: absent and malformed look the same."""
    if not 0 < len(global_id) <= _MAX_GLOBAL_ID_LENGTH:
        return None
    try:
        decoded = base64.urlsafe_b64decode(global_id + "=" * (-len(global_id) % 4)).decode("ascii")
    except (binascii.Error, UnicodeError, ValueError):
        return None
    type_name, _, digits = decoded.partition(":")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 19:
        return None
    number = int(digits)
    # Only the one spelling that we give out is an id: no leading zeros, no stray bits in the base64.
    if number > MAX_ID or to_global_id(type_name, number) != global_id:
        return None
    return type_name, number


def local_id(global_id: str, type_name: str) -> int | None:
    """The number within a global id of the given type; None for a foreign, malformed or other-typed id."""
    parts = from_global_id(global_id)
    return parts[1] if parts is not None and parts[0] == type_name else None
