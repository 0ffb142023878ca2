"""Placeholder until the protocol is here."""

from __future__ import annotations

from starlette.websockets import WebSocket


async def graphql_socket(websocket: WebSocket) -> None:
    """Refuses."""
    await websocket.close(1013)
