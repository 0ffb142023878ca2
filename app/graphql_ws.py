"""The door for WebSockets: who may come in, and which protocol is spoken."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from app.socket_messages import PROTOCOL

PATH = "/graphql"
_SUBPROTOCOL = Subprotocol(PROTOCOL)


@dataclass(frozen=True, slots=True)
class Handshake:
    """`answer`: what is sent. `is_open`: whether that opens a WebSocket. `speaks`: whether it is one of our protocol.

    `forwarded_for`: what proxies say of the client's address.
    """

    answer: bytes
    is_open: bool
    speaks: bool
    forwarded_for: tuple[str, ...] = ()


def shake_hands(head: bytes, allowed_origins: Collection[str]) -> Handshake:
    """The answer to an opening handshake (RFC 6455, section 4.2), given its whole head.

    Other paths get 404, foreign origins 403, what is no handshake what `websockets` has for it. Other subprotocols are let in,
    since browsers show no reason otherwise: whoever called closes them with 4406.
    """
    # Lives no longer than the handshake: kept for each socket it would take more memory than all the rest.
    handshake = ServerProtocol(extensions=None, select_subprotocol=_choose)
    handshake.receive_data(head)
    handshake.parser.close()  # it holds its owner, and both would wait for the garbage collector
    request = next(iter(handshake.events_received()), None)
    if not isinstance(request, Request):
        return _refuse(handshake.reject(HTTPStatus.BAD_REQUEST, "That is no handshake.\n"))
    if unquote(request.path.partition("?")[0]) != PATH:
        return _refuse(handshake.reject(HTTPStatus.NOT_FOUND, "There is no WebSocket here.\n"))
    if not is_welcome(request.headers, allowed_origins):
        return _refuse(handshake.reject(HTTPStatus.FORBIDDEN, "This origin is not allowed.\n"))
    response = handshake.accept(request)
    if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
        return _refuse(response)
    speaks = handshake.subprotocol == _SUBPROTOCOL
    forwarded_for = tuple(request.headers.get_all("x-forwarded-for"))
    return Handshake(response.serialize(), is_open=True, speaks=speaks, forwarded_for=forwarded_for)


def _refuse(response: Response) -> Handshake:
    return Handshake(response.serialize(), is_open=False, speaks=False)


def _choose(_protocol: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return _SUBPROTOCOL if _SUBPROTOCOL in offered else None


def is_welcome(headers: Headers, allowed_origins: Collection[str]) -> bool:
    """Whether the page that opens the socket is ours or allowed. Programs send no Origin; no cookies are read for them."""
    origins = headers.get_all("origin")
    if not origins:
        return True
    if len(origins) > 1:
        return False
    try:
        origin = urlsplit(origins[0])
    except ValueError:
        return False
    hosts = headers.get_all("host")
    is_own = origin.scheme in {"http", "https"} and [origin.netloc.lower()] == [host.lower() for host in hosts]
    return is_own or origins[0] in allowed_origins
