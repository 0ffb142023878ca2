"""The door for WebSockets: who may come in, and which protocol is spoken."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.socket_connection import SocketConnection
from app.socket_messages import PROTOCOL, CloseCode
from app.web_state import web_state


async def graphql_socket(websocket: WebSocket) -> None:
    """`WS /graphql`. Foreign origins get 403, other subprotocols 4406 (after accepting: browsers show no code otherwise)."""
    state = web_state(websocket)
    with suppress(WebSocketDisconnect):
        if not is_welcome(websocket.headers, state.settings.allowed_origins):
            await websocket.close()
        elif PROTOCOL not in websocket.scope["subprotocols"]:
            await websocket.accept()
            await websocket.close(CloseCode.OTHER_PROTOCOL, f"speak {PROTOCOL}")
        else:
            await websocket.accept(PROTOCOL)
            await SocketConnection(websocket, state).run()


def is_welcome(headers: Headers, allowed_origins: Collection[str]) -> bool:
    """Whether the page that opens the socket is ours or allowed. Programs send no Origin; no cookies are read for them."""
    origins = headers.getlist("origin")
    if not origins:
        return True
    if len(origins) > 1:
        return False
    try:
        origin = urlsplit(origins[0])
    except ValueError:
        return False
    is_own = origin.scheme in {"http", "https"} and origin.netloc.lower() == headers.get("host", "").lower()
    return is_own or origins[0] in allowed_origins
