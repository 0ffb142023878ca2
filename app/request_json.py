"""JSON from strangers: read within a size and a time, and strictly, so that no two readers can see two things in one text."""

from __future__ import annotations

import asyncio
import json
import math
from functools import lru_cache
from typing import Any, NoReturn

from starlette.requests import Request
from starlette.types import Message, Receive

from app.begun import Begun

MAX_BYTES = 65_536
MAX_NESTING = 32
"""Levels of objects and lists; no variable of ours is nested half as deep."""
READ_SECONDS = 10.0
_KNOWN = 500
"""Values of headers that are remembered: a few kinds of clients send nearly all requests."""
_KNOWN_LENGTH = 200
"""Longer ones are not."""


class BadRequestError(Exception):
    """The request cannot be read. The message may be shown to whoever sent it; `status` is for HTTP."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


async def read_body(request: Request) -> bytes:
    """The whole body. Raises BadRequestError as soon as it is over MAX_BYTES, cut off, or slower than READ_SECONDS."""
    return await receive_body(request.receive, announced=request.headers.get("content-length", "0"))


async def receive_body(receive: Receive, *, announced: str) -> bytes:
    """The same. `announced`: what Content-Length says."""
    if announced.isdecimal() and int(announced[:20]) > MAX_BYTES:
        raise too_large()
    # Nearly always all of it is there already, and no clock is needed.
    first = Begun(receive())
    if first.is_done:
        body, has_more = _part(first.result)
        if not has_more and len(body) <= MAX_BYTES:
            return body
    received = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS):
            message = await first
            while True:
                body, has_more = _part(message)
                received += body
                if len(received) > MAX_BYTES:
                    raise too_large()
                if not has_more:
                    return bytes(received)
                message = await receive()
    except TimeoutError:
        raise BadRequestError("the body did not arrive in time", status=408) from None


def too_large() -> BadRequestError:
    """What is said of a body over MAX_BYTES."""
    return BadRequestError(f"the body is larger than {MAX_BYTES} bytes")


def _part(message: Message) -> tuple[bytes, bool]:
    """A part of the body, and whether more follows."""
    if message["type"] == "http.disconnect":
        raise BadRequestError("the body was cut off")
    return message.get("body", b""), message.get("more_body", False)


def check_is_json(request: Request) -> None:
    """Raises BadRequestError (415) unless the body is announced as plain application/json in UTF-8."""
    content_types = request.headers.getlist("content-type")
    check_announced_json(",".join(content_types), request.headers.get("content-encoding", ""))


def check_announced_json(content_type: str, content_encoding: str) -> None:
    """The same of the two headers; empty where there is none."""
    is_short = len(content_type) + len(content_encoding) <= _KNOWN_LENGTH
    problem = (_known_problem if is_short else _why_not_json)(content_type, content_encoding)
    if problem is not None:
        raise BadRequestError(problem, status=415)


def _why_not_json(content_type: str, content_encoding: str) -> str | None:
    media_type, _, parameters = content_type.partition(";")
    named = [part.strip().lower().replace('"', "") for part in parameters.split(";")]
    is_utf8 = all(part == "charset=utf-8" for part in named if part.startswith("charset"))
    # A comma: the header came twice.
    if media_type.strip().lower() != "application/json" or not is_utf8 or "," in content_type:
        return "send application/json in UTF-8"
    if (content_encoding or "identity").strip().lower() != "identity":
        return "a compressed body is not accepted"
    return None


_known_problem = lru_cache(maxsize=_KNOWN)(_why_not_json)


def parse_object(data: bytes | str) -> dict[str, Any]:
    """The one JSON object that is the whole text. Raises BadRequestError for everything else, and nothing but that.

    Refused besides broken syntax: two members of one name, NaN and infinities, numbers beyond a double, nesting beyond
    MAX_NESTING. Strings may hold lone surrogates, as RFC 8259 has it: whoever uses them decides.
    """
    try:
        text = data.decode() if isinstance(data, bytes) else data
        value = json.loads(text, object_pairs_hook=_unique_members, parse_constant=_refuse_constant, parse_float=_finite_float)
    except BadRequestError:
        raise
    except UnicodeDecodeError:
        raise BadRequestError("the text is not UTF-8") from None
    except (ValueError, RecursionError):
        raise BadRequestError("the text is not JSON") from None
    if not isinstance(value, dict):
        raise BadRequestError("send a JSON object")
    if not _is_shallow(value, MAX_NESTING):
        raise BadRequestError("the JSON is nested too deeply")
    return value


def is_unicode(text: str) -> bool:
    """Whether the text can be written in UTF-8, that is, has no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise BadRequestError("a JSON object names a member twice")
    return members


def _refuse_constant(_name: str) -> NoReturn:
    raise BadRequestError("NaN and infinities are not JSON")


def _finite_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise BadRequestError("a number is too large")
    return number


def _is_shallow(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    items = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_shallow(item, levels - 1) for item in items if isinstance(item, dict | list))
