"""One graphql-transport-ws connection, from its accepted handshake to its close.

One task reads, each operation has a task of its own, and whoever finds a reason to end calls `_finish`. A connection that only
waits holds no database connection.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import aclosing, suppress
from typing import Any

import structlog
from graphql import OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect

from app import metrics
from app.answers import encode_json
from app.authentication.bearer import bearer_from_connection_init
from app.authentication.claims import Claims
from app.authentication.errors import AuthenticationError, KeySetUnavailableError
from app.graphql_request import GraphqlRequest
from app.message_rate import MessageRate
from app.request_json import BadRequestError
from app.socket_messages import ClientMessage, CloseCode, CloseError, read_message
from app.web_state import WebState, seconds_until
from domain.errors import UnavailableError
from schema.documents import RequestError
from schema.errors import INTERNAL, UNAVAILABLE, error
from schema.execution import Operation, Response
from schema.shared_events import RenderedResponse

INIT_SECONDS = 5.0
SEND_SECONDS = 30.0
"""A client that takes nothing for so long is closed with 4008; it can resume from its last cursor."""
MAX_SUBSCRIPTIONS = 20
MAX_OPERATIONS = 100
_CLOSE_SECONDS = 1.0
_CLEANUP_SECONDS = 2.0

log = structlog.get_logger(__name__)


class _EndedError(Exception):
    """Nothing can be sent any more."""


class SocketConnection:
    """Speaks the protocol on an accepted WebSocket until either side ends it. `run` is called once."""

    def __init__(self, websocket: WebSocket, state: WebState) -> None:
        self._websocket = websocket
        self._state = state
        self._end: asyncio.Future[CloseError | None] = asyncio.get_running_loop().create_future()
        self._has_init = False
        self._is_open = False
        self._claims: Claims | None = None
        self._viewer_id: int | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._rate = MessageRate()
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._subscriptions: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Returns when the connection is closed and everything that belonged to it has been told to end."""
        reader = asyncio.get_running_loop().create_task(self._read())
        try:
            await asyncio.wait((self._end,))
            close = self._end.result()
            if close is not None:
                await self._close(close)
        finally:
            self._finish(None)
            if self._expiry is not None:
                self._expiry.cancel()
            if self._viewer_id is not None:
                self._state.sockets.leave(self._viewer_id)
            tasks = {reader, *self._tasks}
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=_CLEANUP_SECONDS)

    def _finish(self, close: CloseError | None) -> None:
        """Ends the connection; the first reason counts. None: the client has gone."""
        if not self._end.done():
            self._end.set_result(close)

    async def _close(self, close: CloseError) -> None:
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._websocket.close(close.code, close.reason)

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(INIT_SECONDS) as limit:
                while not self._is_open:
                    await self._handle(await self._receive())
                limit.reschedule(None)
                while True:
                    await self._handle(await self._receive())
        except CloseError as close:
            self._finish(close)
        except TimeoutError:
            self._finish(CloseError(CloseCode.INIT_TIMEOUT, "connection_init did not arrive in time"))
        except (_EndedError, WebSocketDisconnect):
            self._finish(None)
        except Exception:
            log.exception("socket.reader_failed")
            self._finish(CloseError(CloseCode.FAULT, "something went wrong on our side"))

    async def _receive(self) -> ClientMessage:
        frame = await self._websocket.receive()
        if frame["type"] == "websocket.disconnect":
            raise _EndedError
        if self._state.has_limits and not self._rate.admits(asyncio.get_running_loop().time()):
            raise CloseError(CloseCode.TRY_LATER, "too many messages")
        return read_message(frame)

    async def _handle(self, message: ClientMessage) -> None:
        match message.type:
            case "ping":
                await self._send({"type": "pong"} | ({} if message.payload is None else {"payload": message.payload}))
            case "pong":
                pass
            case "connection_init":
                await self._initialise(message)
            case "subscribe":
                await self._subscribe(message)
            case "complete":
                self._cancel(message.id)

    async def _send(self, message: dict[str, Any]) -> None:
        await self._send_text(encode_json(message).decode())

    async def _send_text(self, text: str) -> None:
        """Raises _EndedError where the connection has ended, or ends because the client does not read."""
        if self._end.done():
            raise _EndedError
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._websocket.send_text(text)
        except TimeoutError:
            self._finish(CloseError(CloseCode.TOO_SLOW, "the client reads too slowly"))
            raise _EndedError from None
        except (WebSocketDisconnect, RuntimeError):
            self._finish(None)
            raise _EndedError from None

    # ------------------------------------------------------------------ who is there

    async def _initialise(self, message: ClientMessage) -> None:
        if self._has_init:
            raise CloseError(CloseCode.SECOND_INIT, "connection_init came twice")
        self._has_init = True
        try:
            token = bearer_from_connection_init(message.payload)
            if token is not None:
                self._claims = await self._state.deadline.run(self._state.verifier.verify(token))
            viewer = await self._state.deadline.run(self._state.load_viewer(self._claims))
        except (KeySetUnavailableError, UnavailableError):
            raise CloseError(CloseCode.TRY_LATER, "signing in is not possible at the moment") from None
        except AuthenticationError as problem:
            log.info("authentication.refused", reason=str(problem))
            raise CloseError(CloseCode.FORBIDDEN, "the token is not accepted") from None
        if viewer is not None:
            if not self._state.sockets.enter(viewer.id, has_limits=self._state.has_limits):
                raise CloseError(CloseCode.TRY_LATER, "too many sockets")
            self._viewer_id = viewer.id
        if self._claims is not None:
            expired = CloseError(CloseCode.FORBIDDEN, "the token has expired")
            loop = asyncio.get_running_loop()
            self._expiry = loop.call_later(max(0.0, seconds_until(self._claims)), self._finish, expired)
        self._is_open = True
        await self._send({"type": "connection_ack"})

    # ------------------------------------------------------------------ operations

    async def _subscribe(self, message: ClientMessage) -> None:
        if not self._is_open:
            raise CloseError(CloseCode.NOT_INITIALISED, "send connection_init first")
        try:
            wanted = GraphqlRequest.read(message.payload or {})
        except BadRequestError as problem:
            raise CloseError(CloseCode.MALFORMED, str(problem)) from None
        if message.id in self._operations:
            raise CloseError(CloseCode.DUPLICATE_ID, "there is an operation of this id")
        if len(self._operations) >= MAX_OPERATIONS:
            raise CloseError(CloseCode.TRY_LATER, "too many operations at a time")
        try:
            operation = self._state.engine.prepare(wanted.query, wanted.operation_name, wanted.variables)
        except RequestError as problem:
            await self._send_errors(message.id, problem.errors)
            return
        if operation.type is OperationType.SUBSCRIPTION:
            if self._state.has_limits and len(self._subscriptions) >= MAX_SUBSCRIPTIONS:
                limit = f"at most {MAX_SUBSCRIPTIONS} subscriptions at a time"
                await self._send_errors(message.id, [error(limit, "SUBSCRIPTION_LIMIT")])
                return
            self._subscriptions.add(message.id)
        task = asyncio.get_running_loop().create_task(self._operate(message.id, operation))
        self._operations[message.id] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _cancel(self, operation_id: str) -> None:
        """The client wants no more of it; the id is free again. An unknown one has just ended by itself."""
        task = self._operations.get(operation_id)
        if task is not None:
            self._release(operation_id)
            task.cancel()

    def _release(self, operation_id: str) -> None:
        self._operations.pop(operation_id, None)
        self._subscriptions.discard(operation_id)

    async def _operate(self, operation_id: str, operation: Operation) -> None:
        errors: list[dict[str, Any]] = []
        try:
            if operation.type is OperationType.SUBSCRIPTION:
                errors = await self._stream(operation_id, operation)
            else:
                errors = await self._answer(operation_id, operation)
        except _EndedError:
            return
        except KeySetUnavailableError:
            errors = [error("tokens cannot be verified at the moment", UNAVAILABLE)]
        except AuthenticationError as problem:
            log.info("authentication.refused", reason=str(problem))
            self._finish(CloseError(CloseCode.FORBIDDEN, "the token is not accepted"))
            return
        except UnavailableError as problem:
            errors = [error(str(problem), UNAVAILABLE)]
        except Exception:
            request_id = secrets.token_hex(8)
            log.exception("socket.operation_failed", request_id=request_id)
            errors = [error("something went wrong on our side", INTERNAL, requestId=request_id)]
        # The id is free before the client hears of the end, since it may use it again at once.
        self._release(operation_id)
        with suppress(_EndedError):
            if errors:
                await self._send_errors(operation_id, errors)
            else:
                await self._send({"type": "complete", "id": operation_id})

    async def _answer(self, operation_id: str, operation: Operation) -> list[dict[str, Any]]:
        """The errors of a request that could not be executed; none otherwise."""
        response = await self._state.execute(operation, self._claims)
        return await self._send_next(operation_id, response)

    async def _stream(self, operation_id: str, operation: Operation) -> list[dict[str, Any]]:
        """The errors with which the stream ended; none where it ended by itself."""
        context = await self._state.deadline.run(self._state.open_context(self._claims))
        metrics.LIVE_SUBSCRIBERS.inc()
        try:
            async with aclosing(self._state.engine.subscribe(operation, context)) as answers:
                async for response, _ in answers:
                    if isinstance(response, RenderedResponse):
                        await self._send_text(_next_message(operation_id, response.json))
                        continue
                    errors = await self._send_next(operation_id, response)
                    if errors:
                        return errors
        finally:
            metrics.LIVE_SUBSCRIBERS.dec()
        return []

    async def _send_next(self, operation_id: str, response: Response) -> list[dict[str, Any]]:
        """Sends an answer with data; returns the errors of one without, which end the operation."""
        if "data" not in response:
            return list(response["errors"])
        await self._send({"type": "next", "id": operation_id, "payload": response})
        return []

    async def _send_errors(self, operation_id: str, errors: list[dict[str, Any]]) -> None:
        await self._send({"type": "error", "id": operation_id, "payload": errors})


def _next_message(operation_id: str, payload: str) -> str:
    """A `next` message around a payload that is JSON already."""
    return f'{{"type":"next","id":{encode_json(operation_id).decode()},"payload":{payload}}}'
