"""Where a token stands: the Authorization header (RFC 6750, section 2.1), or the first message of a WebSocket.

Tokens in the query string are never looked for: addresses end in logs and histories.
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers

from app.authentication.errors import AuthenticationError

# The scheme is compared without regard to case (RFC 9110, section 11.1), the token is RFC 6750's b64token.
_CREDENTIALS = re.compile(r"(?i:bearer) +([A-Za-z0-9\-._~+/]+=*)")


def bearer_token(headers: Headers) -> str | None:
    """The bearer token of an HTTP request; None if it brings no credentials.

    Raises AuthenticationError for two Authorization headers, another scheme, or anything beside the token.
    """
    values = headers.getlist("authorization")
    if len(values) > 1:
        raise AuthenticationError("more than one Authorization")
    return _parse_credentials(values[0]) if values else None


def bearer_from_connection_init(payload: object) -> str | None:
    """The token in a `connection_init` payload, `{"Authorization": "Bearer …"}`; None if there is none.

    The key counts in any case, since clients copy it from HTTP; null is what they send when nobody is logged in.
    Raises AuthenticationError as `bearer_token` does, and for a payload that is not an object.
    """
    if payload is None:
        return None
    if not isinstance(payload, dict):
        raise AuthenticationError("the connection_init payload is not an object")
    values = [value for name, value in payload.items() if isinstance(name, str) and name.lower() == "authorization"]
    if len(values) > 1:
        raise AuthenticationError("more than one Authorization")
    if not values or values[0] is None:
        return None
    if not isinstance(values[0], str):
        raise AuthenticationError("Authorization is not a string")
    return _parse_credentials(values[0])


def _parse_credentials(value: str) -> str:
    match = _CREDENTIALS.fullmatch(value)
    if match is None:
        raise AuthenticationError("Authorization is not a bearer token")
    return match.group(1)
