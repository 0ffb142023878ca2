"""JSON from strangers: read within a size and a time, and strictly, so that no two readers can see two things in one text."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any, NoReturn

from starlette.requests import Request

MAX_BYTES = 65_536
MAX_NESTING = 32
"""Levels of objects and lists; no variable of ours is nested half as deep."""
READ_SECONDS = 10.0


class BadRequestError(Exception):
    """The request cannot be read. The message may be shown to whoever sent it; `status` is for HTTP."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


async def read_body(request: Request) -> bytes:
    """The whole body. Raises BadRequestError as soon as it is over MAX_BYTES, cut off, or slower than READ_SECONDS."""
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced[:20]) > MAX_BYTES:
        raise BadRequestError(f"the body is larger than {MAX_BYTES} bytes")
    body = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS):
            has_more = True
            while has_more:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise BadRequestError("the body was cut off")
                body += message.get("body", b"")
                has_more = message.get("more_body", False)
                if len(body) > MAX_BYTES:
                    raise BadRequestError(f"the body is larger than {MAX_BYTES} bytes")
    except TimeoutError:
        raise BadRequestError("the body did not arrive in time", status=408) from None
    return bytes(body)


def check_is_json(request: Request) -> None:
    """Raises BadRequestError (415) unless the body is announced as plain application/json in UTF-8."""
    values = request.headers.getlist("content-type")
    media_type, _, parameters = (values[0] if len(values) == 1 else "").partition(";")
    named = [part.strip().lower().replace('"', "") for part in parameters.split(";")]
    is_utf8 = all(part == "charset=utf-8" for part in named if part.startswith("charset"))
    if media_type.strip().lower() != "application/json" or not is_utf8:
        raise BadRequestError("send application/json in UTF-8", status=415)
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise BadRequestError("a compressed body is not accepted", status=415)


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
