"""From a REST request to the variables of its document."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from app.request_json import BadRequestError, check_is_json, is_unicode, parse_object, read_body
from domain.errors import InvalidArgumentError
from domain.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE

KEY_HEADER = "idempotency-key"
_MAX_DIGITS = 3


async def post_input(request: Request) -> dict[str, Any]:
    """The body is the input as it stands, with the key of the header. Raises BadRequestError."""
    check_is_json(request)
    members = parse_object(await read_body(request))
    keys = request.headers.getlist(KEY_HEADER)
    if len(keys) > 1 or (keys and members.get("idempotencyKey") not in (None, keys[0])):
        raise BadRequestError("the request has several idempotency keys")
    if keys:
        members["idempotencyKey"] = keys[0]
    return {"input": members}


async def like_input(request: Request) -> dict[str, Any]:
    """The id in the path; the body, if there is one, is an empty JSON object. Raises BadRequestError."""
    body = await read_body(request)
    if body:
        check_is_json(request)
        if parse_object(body):
            raise BadRequestError("nothing is read from the body: leave it out")
    return {"input": {"postId": _id(request)}}


async def page_variables(request: Request) -> dict[str, Any]:
    """`limit` and `cursor` of the query string. Raises BadRequestError, InvalidArgumentError."""
    limit, cursor = _parameter(request, "limit"), _parameter(request, "cursor")
    return {"limit": _page_size(limit), "cursor": cursor}


async def user_page_variables(request: Request) -> dict[str, Any]:
    """The same, with the id in the path."""
    return {"id": _id(request), **await page_variables(request)}


def _id(request: Request) -> str:
    return str(request.path_params["id"])


def _page_size(limit: str | None) -> int:
    if limit is None:
        return DEFAULT_PAGE_SIZE
    is_number = limit.isascii() and limit.isdigit() and len(limit) <= _MAX_DIGITS
    if not is_number or not 1 <= int(limit) <= MAX_PAGE_SIZE:
        raise InvalidArgumentError(f"limit must be a number from 1 to {MAX_PAGE_SIZE}")
    return int(limit)


def _parameter(request: Request, name: str) -> str | None:
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise BadRequestError(f"{name} is given twice")
    if values and not is_unicode(values[0]):
        raise BadRequestError("a lone surrogate is not text")
    return values[0] if values else None
