"""Asks the API of this machine whether it is ready."""

from __future__ import annotations

import asyncio

from app.stack.ports import LOOPBACK

_ANSWER_SECONDS = 2.0


async def is_ready(port: int) -> bool:
    """Does `GET /readyz` answer 200? One bare request: a client library takes longer to import."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                writer.write(f"GET /readyz HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\nConnection: close\r\n\r\n".encode())
                status_line = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return status_line.split(b" ", 2)[1:2] == [b"200"]
