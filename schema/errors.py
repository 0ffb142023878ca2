"""From domain errors to GraphQL errors: the only place where codes are given out, and where nothing internal gets through."""

from __future__ import annotations

import secrets
from typing import Any

import structlog
from graphql import GraphQLError

from domain.errors import TidingsError

log = structlog.get_logger(__name__)

BAD_REQUEST = "BAD_REQUEST"
PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
TOO_COMPLEX = "QUERY_TOO_COMPLEX"
BAD_USER_INPUT = "BAD_USER_INPUT"
SUBSCRIPTION_LIMIT = "SUBSCRIPTION_LIMIT"
UNAUTHENTICATED = "UNAUTHENTICATED"
UNAVAILABLE = "UNAVAILABLE"
INTERNAL = "INTERNAL_SERVER_ERROR"


def error(message: str, code: str, **extensions: Any) -> dict[str, Any]:
    """A GraphQL error without a place in the document."""
    return {"message": message, "extensions": {"code": code, **extensions}}


def domain_error(problem: TidingsError) -> dict[str, Any]:
    """The public form of a domain error for which nothing was executed."""
    return error(str(problem), problem.code, **problem.extensions)


def format_error(failure: GraphQLError, *, default_code: str = INTERNAL) -> dict[str, Any]:
    """The public form of an error that came out of parsing, validating or executing.

    What a resolver raised is shown only when it is a domain error; anything else becomes INTERNAL_SERVER_ERROR with a request
    id, under which the log has the rest.
    """
    original = failure.original_error
    while isinstance(original, GraphQLError):
        original = original.original_error
    formatted: dict[str, Any] = {"message": failure.message}
    if failure.locations:
        formatted["locations"] = [location.formatted for location in failure.locations]
    if failure.path:
        formatted["path"] = failure.path
    if original is None:
        code = (failure.extensions or {}).get("code", default_code)
        formatted["extensions"] = {"code": code}
    elif isinstance(original, TidingsError):
        formatted["message"] = str(original)
        formatted["extensions"] = {"code": original.code, **original.extensions}
    else:
        request_id = secrets.token_hex(8)
        log.error("graphql.internal_error", request_id=request_id, path=failure.path, exc_info=original)
        formatted["message"] = "something went wrong on our side"
        formatted["extensions"] = {"code": INTERNAL, "requestId": request_id}
    return formatted
