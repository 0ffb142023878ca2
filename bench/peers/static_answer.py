"""Nothing but HTTP: the same bytes, as many as a page has, for everybody. What no server in this process model can beat."""

from __future__ import annotations

from typing import Any

from bench.peers.answer import send_json
from bench.peers.server import serve

_SIZE = 9_000
_BODY = b'{"data":"%s"}' % (b"x" * _SIZE)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    await send_json(send, _BODY)


if __name__ == "__main__":
    serve(lambda: application)
