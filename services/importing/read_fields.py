"""Single values of import files: ids, texts, instants. Each raises BadRowError with the reason."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from services.importing.problems import BadRowError

MAX_EXTERNAL_ID_LENGTH = 255
MAX_SOURCE_ID_LENGTH = 64

# Undecodable bytes arrive as lone surrogates.
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_SECOND = (1 << 41) // 1_000 - 1
"""The last second that an id's 41 bits of milliseconds can hold (September 2039)."""
_USUAL_SECONDS = 10
"""Digits of Unix seconds which, if the first is 1, need no further check: September 2001 to May 2033."""


def decode(line: bytes) -> str:
    """The line as text; bytes that are no UTF-8 become lone surrogates, which every field refuses."""
    return line.decode("utf-8", "surrogateescape")


def storable(value: str, name: str, max_length: int) -> str:
    """A text that PostgreSQL and JSON can hold, of at most `max_length` code points."""
    if len(value) > max_length:
        raise BadRowError(f"{name} is longer than {max_length:,} characters")
    if _UNSTORABLE.search(value):
        raise BadRowError(f"{name} contains NUL, a lone surrogate, or bytes that are not UTF-8")
    return value


def external_id(value: str, name: str, max_length: int = MAX_EXTERNAL_ID_LENGTH) -> str:
    """An id of the file: any text that is not blank, without white space around it."""
    if len(value) <= MAX_SOURCE_ID_LENGTH and value.isascii() and value.isalnum():
        return value
    value = storable(value.strip(), name, max_length)
    if not value:
        raise BadRowError(f"{name} is missing")
    return value


def microseconds(value: str, name: str) -> int:
    """Microseconds since 1970 of an ISO 8601 time (UTC where it names no zone) or of whole Unix seconds."""
    if value.isascii() and value.isdigit():
        seconds = int(value) if len(value) < 20 else _LATEST_SECOND + 1
        return _in_range(seconds, name) * 1_000_000
    try:
        instant = datetime.fromisoformat(value)
        instant = instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise BadRowError(f"{name} is neither an ISO 8601 time nor Unix seconds") from None
    since = instant - _EPOCH
    return _in_range(since.days * 86_400 + since.seconds, name) * 1_000_000 + since.microseconds


def _in_range(seconds: int, name: str) -> int:
    if seconds < 0:
        raise BadRowError(f"{name} lies before 1970")
    if seconds > _LATEST_SECOND:
        raise BadRowError(f"{name} lies after {(_EPOCH.year + 69)}, beyond what an id can hold")
    return seconds


def optional_milliseconds(value: str | None, name: str) -> int | None:
    """Milliseconds since 1970; None for a missing or empty value."""
    if not value:
        return None
    if len(value) == _USUAL_SECONDS and value[0] == "1" and value.isascii() and value.isdigit():
        return int(value) * 1_000
    stripped = value.strip()
    return microseconds(stripped, name) // 1_000 if stripped else None
