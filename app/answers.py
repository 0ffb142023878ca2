"""What leaves the server: JSON in GraphQL's form, never to be stored by anybody."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from starlette.responses import Response as HttpResponse
from starlette.types import Receive, Scope, Send

from app.protocols import connection_of
from graphql_compiler import write_json
from schema.errors import BAD_REQUEST, INTERNAL, error

JSON_TYPE = "application/json"
GRAPHQL_TYPE = "application/graphql-response+json"
NO_STORE = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


def encode_json(value: Any) -> bytes:
    """JSON in UTF-8. A string that UTF-8 cannot hold, echoed in a message, is escaped."""
    return write_json(value)


class JsonAnswer:
    """The usual answer, an ASGI application: 200, and what was rendered."""

    __slots__ = ("body", "media_type")

    def __init__(self, body: bytes, media_type: str) -> None:
        self.body = body
        self.media_type = media_type

    def write(self, scope: Scope, send: Send) -> bool:
        """Sends it, where that can be done at once."""
        connection = connection_of(scope)
        return connection is not None and connection.answer(scope, send, _header_lines(self.media_type), self.body)

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [*_headers(self.media_type), (b"content-length", b"%d" % len(self.body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


@cache
def _headers(media_type: str) -> list[tuple[bytes, bytes]]:
    """Of one of the two types."""
    named = {**NO_STORE, "Content-Type": _content_type(media_type)}
    return [(name.lower().encode(), value.encode()) for name, value in named.items()]


@cache
def _header_lines(media_type: str) -> bytes:
    return b"".join([b"%b: %b\r\n" % header for header in _headers(media_type)])


def _content_type(media_type: str) -> str:
    return f"{media_type}; charset=utf-8"


def json_answer(
    value: Any, *, status: int = 200, media_type: str = JSON_TYPE, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    named = {**NO_STORE, **(headers or {}), "Content-Type": _content_type(media_type)}
    return HttpResponse(encode_json(value), status, named)


def refusal(
    message: str,
    code: str = BAD_REQUEST,
    *,
    status: int = 400,
    media_type: str = JSON_TYPE,
    headers: Mapping[str, str] | None = None,
    **extensions: Any,
) -> HttpResponse:
    """An answer that is one error and no data."""
    return json_answer({"errors": [error(message, code, **extensions)]}, status=status, media_type=media_type, headers=headers)


def internal_error(request_id: str, *, media_type: str = JSON_TYPE) -> HttpResponse:
    """What a fault of ours looks like from outside."""
    message = "something went wrong on our side"
    return refusal(message, INTERNAL, status=500, media_type=media_type, requestId=request_id)
