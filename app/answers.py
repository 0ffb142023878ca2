"""What leaves the server: JSON in GraphQL's form, never to be stored by anybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response as HttpResponse

from graphql_compiler import write_json
from schema.errors import BAD_REQUEST, INTERNAL, error

JSON_TYPE = "application/json"
GRAPHQL_TYPE = "application/graphql-response+json"
NO_STORE = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


def encode_json(value: Any) -> bytes:
    """JSON in UTF-8. A string that UTF-8 cannot hold, echoed in a message, is escaped."""
    return write_json(value)


def json_answer(
    value: Any, *, status: int = 200, media_type: str = JSON_TYPE, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    content_type = f"{media_type}; charset=utf-8"
    return HttpResponse(encode_json(value), status, {**NO_STORE, **(headers or {}), "Content-Type": content_type})


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
