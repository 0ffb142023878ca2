"""The web process inside the test: a real uvicorn on a free port, and clients for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.authentication.development_token import mint_development_token
from app.serve import server_config
from app.socket_messages import PROTOCOL
from app.web import create_app
from app.web_state import STATE, WebState
from settings import DEVELOPMENT_JWT_SECRET, Settings

WAIT_SECONDS = 10.0


@dataclass(frozen=True)
class RunningServer:
    """Where it is, and what it was started with."""

    settings: Settings
    port: int
    http: httpx.AsyncClient
    state: WebState

    async def post(self, body: object, *, token: str | None = None, **headers: str) -> httpx.Response:
        """Sends JSON, or bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            named["authorization"] = f"Bearer {token}"
        return await self.http.post("/graphql", content=content, headers={"content-type": "application/json"} | named)

    async def data(self, query: str, token: str | None = None, **variables: object) -> Any:
        """The data of an operation that succeeds."""
        answer = (await self.post({"query": query, "variables": variables}, token=token)).json()
        assert "errors" not in answer, answer
        return answer["data"]

    @asynccontextmanager
    async def socket(self, *, protocol: str | None = PROTOCOL, **options: Any) -> AsyncIterator[SocketClient]:
        """A WebSocket right after its handshake."""
        address = f"ws://127.0.0.1:{self.port}/graphql"
        protocols: Any = [protocol] if protocol else None
        timeouts: Any = {"open_timeout": WAIT_SECONDS, "close_timeout": 1}
        async with connect(address, subprotocols=protocols, max_size=None, **timeouts, **options) as raw:
            yield SocketClient(raw)

    @asynccontextmanager
    async def session(self, token: str | None = None) -> AsyncIterator[SocketClient]:
        """A WebSocket that has been initialised."""
        async with self.socket() as client:
            await client.initialise(token)
            yield client


@dataclass(frozen=True)
class SocketClient:
    """Sends and receives messages of the protocol."""

    raw: ClientConnection

    async def initialise(self, token: str | None = None) -> None:
        payload = {} if token is None else {"payload": {"Authorization": f"Bearer {token}"}}
        await self.send({"type": "connection_init"} | payload)
        assert await self.receive() == {"type": "connection_ack"}

    async def send(self, message: object) -> None:
        await self.raw.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def subscribe(self, operation_id: str, query: str, **variables: object) -> None:
        await self.send({"type": "subscribe", "id": operation_id, "payload": {"query": query, "variables": variables}})

    async def receive(self) -> Any:
        text = await asyncio.wait_for(self.raw.recv(), WAIT_SECONDS)
        assert isinstance(text, str)
        return json.loads(text)

    async def wait_closed(self) -> tuple[int, str]:
        """Code and reason of the close, after whatever else was sent."""
        with suppress(ConnectionClosed):
            while True:
                await asyncio.wait_for(self.raw.recv(), WAIT_SECONDS)
        assert self.raw.close_code is not None
        return self.raw.close_code, self.raw.close_reason or ""


@asynccontextmanager
async def run_web(settings: Settings) -> AsyncIterator[RunningServer]:
    """The web process under these settings; ends with the block."""
    app = create_app(settings)
    config = server_config(settings, app, "127.0.0.1", 0)
    listener = config.bind_socket()
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve([listener]))
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while not server.started:
                assert not task.done(), "the server did not start"
                await asyncio.sleep(0.02)
        port = listener.getsockname()[1]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=WAIT_SECONDS) as client:
            yield RunningServer(settings, port, client, server.lifespan.state[STATE])
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, WAIT_SECONDS)


def token_for(subject: str, *, seconds: float = 600) -> str:
    """A token under the development secret."""
    return mint_development_token(DEVELOPMENT_JWT_SECRET, subject, username=subject, ttl=timedelta(seconds=seconds))


def codes(answer: Any) -> list[str]:
    """The error codes of an answer."""
    return [failure["extensions"]["code"] for failure in answer["errors"]]
