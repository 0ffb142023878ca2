"""Which of our media types a request prefers (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from enum import Enum, auto
from functools import lru_cache

from app.answers import GRAPHQL_TYPE, JSON_TYPE
from app.indexed_headers import IndexedHeaders

HTML_TYPE = "text/html"
STREAM_TYPE = "text/event-stream"
_MAX_LENGTH = 2_000
_KNOWN = 500
"""Values of the header that are remembered: a few kinds of clients send nearly all requests."""


class StreamWish(Enum):
    """How a request stands to an answer as a stream of events."""

    NONE = auto()
    ACCEPTED = auto()
    """It could be answered so; usual clients say that with every request, of those that are better answered otherwise too."""
    PREFERRED = auto()


def accept_of(headers: IndexedHeaders) -> str:
    """What the functions below are asked with: all that a request says of what it accepts."""
    return headers.text(b"accept")[:_MAX_LENGTH]


@lru_cache(maxsize=_KNOWN)
def answer_type(accept: str) -> str | None:
    """The media type of a GraphQL answer; None where neither of the two is accepted.

    Without a preference it is application/json, as clients that know no better expect.
    """
    accepted = _accepted(accept)
    if accepted is None:
        return JSON_TYPE
    modern, classic = _json_qualities(accepted)
    if modern <= 0 and classic <= 0:
        return None
    return GRAPHQL_TYPE if modern >= classic else JSON_TYPE


@lru_cache(maxsize=_KNOWN)
def stream_wish(accept: str) -> StreamWish:
    """Whether a stream is wanted. Only its own name counts: `*/*` is said by clients that have never heard of streams."""
    accepted = _accepted(accept) or {}
    quality = accepted.get(STREAM_TYPE, 0.0)
    if quality <= 0:
        return StreamWish.NONE
    return StreamWish.PREFERRED if quality > max(_json_qualities(accepted)) else StreamWish.ACCEPTED


def wants_page(accept: str) -> bool:
    """Whether this is a browser that navigates here."""
    return (_accepted(accept) or {}).get(HTML_TYPE, 0.0) > 0


def _json_qualities(accepted: dict[str, float]) -> tuple[float, float]:
    """Of GRAPHQL_TYPE, which must be named, and of JSON_TYPE."""
    wildcard = accepted.get("application/*", accepted.get("*/*", 0.0))
    return accepted.get(GRAPHQL_TYPE, 0.0), accepted.get(JSON_TYPE, wildcard)


def _accepted(text: str) -> dict[str, float] | None:
    """Media range → quality; None where nothing is said."""
    if not text.strip():
        return None
    accepted: dict[str, float] = {}
    for part in text.split(","):
        media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if media_range:
            accepted[media_range] = _quality(parameters)
    return accepted


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
