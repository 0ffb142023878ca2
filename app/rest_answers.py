"""From the answer of a document to a status, headers and JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response as HttpResponse

from app.answers import json_answer
from app.rest_documents import RestDocument
from domain.errors import RefusalCode
from schema.errors import BAD_REQUEST, BAD_USER_INPUT, INTERNAL, UNAUTHENTICATED, UNAVAILABLE, error
from schema.execution import Response

NOT_FOUND = "NOT_FOUND"
RATE_LIMITED = "RATE_LIMITED"
UNPROCESSABLE = 422
_STATUSES = {
    BAD_REQUEST: 400,
    BAD_USER_INPUT: 400,
    "INVALID_CURSOR": 400,
    UNAUTHENTICATED: 401,
    NOT_FOUND: 404,
    RATE_LIMITED: 429,
    INTERNAL: 500,
    UNAVAILABLE: 503,
}
_USER_ERROR_STATUSES = {RefusalCode.NOT_FOUND.value: 404, RefusalCode.IDEMPOTENCY_CONFLICT.value: 409}
_HEADERS = {
    UNAUTHENTICATED: {"WWW-Authenticate": "Bearer"},
    RefusalCode.IDEMPOTENCY_CONFLICT.value: {"Retry-After": "1"},
    UNAVAILABLE: {"Retry-After": "1"},
}


def rest_refusal(
    message: str,
    code: str = BAD_REQUEST,
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    **extensions: Any,
) -> HttpResponse:
    """An answer that is one error."""
    return _failure([error(message, code, **extensions)], status=status, headers=headers)


def to_rest(response: Response, document: RestDocument, *, success: int) -> HttpResponse:
    """The document's answer; whatever went wrong in it is the whole answer.

    `success`: the status where something was made or found.
    """
    errors = response.get("errors")
    if errors:
        return _failure(errors)
    answer: Any = response["data"]
    for name in document.answer_path:
        answer = (answer or {}).get(name)
    if answer is None:
        return rest_refusal("there is no such thing", NOT_FOUND)
    if answer.get("userErrors"):
        return _refused(answer["userErrors"])
    # Without its post: what the same idempotency key made before is gone since, and nothing was made now.
    return json_answer(answer, status=success if answer.get("post", answer) is not None else 200)


def _failure(
    errors: Sequence[dict[str, Any]], *, status: int | None = None, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """Errors outside the input, with their code in two places: where GraphQL has it, and where a refusal has it."""
    first = errors[0]["extensions"]
    code = first["code"]
    named = {**_HEADERS.get(code, {}), **(headers or {})}
    if "retryAfter" in first:
        named["Retry-After"] = str(max(1, math.ceil(first["retryAfter"])))
    shown = [
        {"code": failure["extensions"]["code"], "message": failure["message"], "extensions": failure["extensions"]}
        for failure in errors
    ]
    return json_answer({"errors": shown}, status=status or _STATUSES.get(code, 500), headers=named)


def _refused(user_errors: Sequence[dict[str, Any]]) -> HttpResponse:
    """What the caller can put right, as the payload says it."""
    code = user_errors[0]["code"]
    status = _USER_ERROR_STATUSES.get(code, UNPROCESSABLE)
    return json_answer({"errors": user_errors}, status=status, headers=_HEADERS.get(code, {}))
