"""Messages of graphql-transport-ws: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from app.request_json import BadRequestError, is_unicode, parse_object

PROTOCOL = "graphql-transport-ws"
MAX_ID_LENGTH = 200


class CloseCode(IntEnum):
    """Why the server closes. Clients come back by themselves after 1011 to 1013 and 4008, and give up on the others."""

    PROTOCOL_ERROR = 1002
    INVALID_TEXT = 1007
    TOO_LARGE = 1009
    FAULT = 1011
    RESTART = 1012
    TRY_LATER = 1013
    TOO_SLOW = 4008
    MALFORMED = 4400
    NOT_INITIALISED = 4401
    FORBIDDEN = 4403
    OTHER_PROTOCOL = 4406
    INIT_TIMEOUT = 4408
    DUPLICATE_ID = 4409
    SECOND_INIT = 4429


class CloseError(Exception):
    """The connection ends here. `reason` goes into the close frame: at most 123 bytes."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ClientMessage:
    """A message whose envelope is right. `id` is set exactly for `subscribe` and `complete`."""

    type: str
    id: str
    payload: dict[str, Any] | None


_TYPES = frozenset({"connection_init", "ping", "pong", "subscribe", "complete"})
_TYPES_WITH_ID = frozenset({"subscribe", "complete"})


def read_message(text: str) -> ClientMessage:
    """The message in a text, which is bounded already. Raises CloseError (4400) for whatever is none."""
    try:
        members = parse_object(text)
    except BadRequestError as problem:
        raise CloseError(CloseCode.MALFORMED, str(problem)) from None
    kind, payload, operation_id = members.get("type"), members.get("payload"), members.get("id", "")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise CloseError(CloseCode.MALFORMED, "the type of the message is not known")
    if not isinstance(payload, dict | None):
        raise CloseError(CloseCode.MALFORMED, "payload must be an object")
    if kind in _TYPES_WITH_ID and not _is_id(operation_id):
        raise CloseError(CloseCode.MALFORMED, f"id must be a string of 1 to {MAX_ID_LENGTH} characters")
    return ClientMessage(kind, operation_id if kind in _TYPES_WITH_ID else "", payload)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_ID_LENGTH and is_unicode(value)
