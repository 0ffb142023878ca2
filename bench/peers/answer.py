"""Bare ASGI: the body of a request in, the bytes of an answer out."""

from __future__ import annotations

from typing import Any

import orjson

QUERY_VARIABLES = "variables"


async def read_variables(receive: Any) -> dict[str, Any]:
    """The `variables` of a GraphQL request; the query itself is not looked at."""
    message = await receive()
    body = message["body"]
    while message.get("more_body"):
        message = await receive()
        body += message["body"]
    found: dict[str, Any] = orjson.loads(body)["variables"]
    return found


async def send_json(send: Any, body: bytes, status: int = 200) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def viewer_of(scope: Any) -> int:
    """Whom the header names."""
    for name, value in scope["headers"]:
        if name == b"x-viewer":
            return int(value)
    raise ValueError("no x-viewer header")
