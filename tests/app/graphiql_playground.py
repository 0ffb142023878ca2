"""A small server with our GraphiQL page before a schema of three fields: enough to try every way through the page."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from app.graphiql import graphiql_page
from app.static_files import static_routes

START_TIMEOUT_SECONDS = 10.0
_SECRET = "a secret of the playground, 32 bytes or more"


def token_of(username: str) -> str:
    """A JWT that names the person."""
    return jwt.encode({"sub": username}, _SECRET, algorithm="HS256")


def _name_in(authorization: str | None) -> str | None:
    if authorization is None:
        return None
    return str(jwt.decode(authorization.removeprefix("Bearer "), _SECRET, algorithms=["HS256"])["sub"])


@dataclass
class Playground:
    """The running server and what has reached it."""

    origin: str = ""
    listeners: list[asyncio.Queue[Note]] = field(default_factory=list)
    listening: asyncio.Event = field(default_factory=asyncio.Event)
    silent: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def graphiql_url(self) -> str:
        return f"{self.origin}/graphql"

    def publish(self, text: str, *, author: str | None = None) -> Note:
        """Gives a note to everybody who listens."""
        note = Note(text=text, author=author)
        for queue in self.listeners:
            queue.put_nowait(note)
        return note


@strawberry.type
class Note:
    text: str
    author: str | None
    read_by: str | None = None


def _playground(info: strawberry.Info) -> Playground:
    playground = info.context["request"].app.state.playground
    assert isinstance(playground, Playground)
    return playground


@strawberry.type
class Query:
    @strawberry.field
    def viewer_name(self, info: strawberry.Info) -> str | None:
        """Whom the Authorization header of the HTTP request names."""
        return _name_in(info.context["request"].headers.get("authorization"))


@strawberry.type
class Mutation:
    @strawberry.mutation
    def write_note(self, info: strawberry.Info, text: str) -> Note:
        author = _name_in(info.context["request"].headers.get("authorization"))
        return _playground(info).publish(text, author=author)


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def new_notes(self, info: strawberry.Info) -> AsyncGenerator[Note, None]:
        """Every note from now on; `readBy` is whom the payload of connection_init names."""
        reader = _name_in((info.context["connection_params"] or {}).get("Authorization"))
        playground = _playground(info)
        queue: asyncio.Queue[Note] = asyncio.Queue()
        playground.listeners.append(queue)
        playground.listening.set()
        try:
            while True:
                note = await queue.get()
                yield Note(text=note.text, author=note.author, read_by=reader)
        finally:
            playground.listeners.remove(queue)
            playground.silent.set()


async def _dev_login(request: Request) -> JSONResponse:
    return JSONResponse({"token": token_of((await request.json())["username"])})


def _application(playground: Playground, *, token: str | None, username: str | None) -> Starlette:
    schema = strawberry.Schema(Query, Mutation, Subscription)
    graphql: GraphQL[Any, Any] = GraphQL(schema, graphql_ide=None, subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL])

    async def page(_request: Request) -> HTMLResponse:
        return graphiql_page(token=token, username=username, dev_login=True)

    app = Starlette(
        routes=[
            *static_routes(),
            Route("/dev/login", _dev_login, methods=["POST"]),
            Route("/graphql", page, methods=["GET"]),
            Route("/graphql", graphql, methods=["POST"]),
            WebSocketRoute("/graphql", graphql),
        ]
    )
    app.state.playground = playground
    return app


@asynccontextmanager
async def open_playground(*, token: str | None, username: str | None) -> AsyncIterator[Playground]:
    """Serves the playground on a free loopback port."""
    playground = Playground()
    app = _application(playground, token=token, username=username)
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1, ws="websockets-sansio")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        playground.origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            async with asyncio.timeout(START_TIMEOUT_SECONDS):
                while not server.started:
                    await asyncio.sleep(0.01)
            yield playground
        finally:
            server.should_exit = True
            await serving
