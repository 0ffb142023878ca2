"""graphql-transport-ws on one socket, from its first message to its last: https://github.com/enisdenjo/graphql-ws.

A connection that only waits has no task, no timer and no database connection. Queries and mutations have a task each while they
are executed, subscriptions and signing in have one until they have begun.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

import structlog
from graphql import OperationType

from app.answers import encode_json
from app.authentication.bearer import bearer_from_connection_init
from app.authentication.claims import Claims
from app.authentication.errors import AuthenticationError, KeySetUnavailableError
from app.graphql_request import GraphqlRequest
from app.request_json import BadRequestError
from app.socket_messages import ClientMessage, CloseCode, CloseError, read_message
from app.socket_operation import QueryOperation
from app.socket_output import SocketOutput
from app.socket_subscription import SocketSubscription
from app.web_state import WebState, seconds_until
from domain.errors import UnavailableError
from schema.documents import RequestError
from schema.errors import error

INIT_SECONDS = 5.0
"""From the handshake to `connection_init`."""
WAIT_SECONDS = 30.0
"""From there to its turn to sign in; then the client is asked to come back later."""
MAX_SUBSCRIPTIONS = 20
MAX_OPERATIONS = 100

log = structlog.get_logger(__name__)

_ACK = b'{"type":"connection_ack"}'


class Wire(Protocol):
    """What the connection needs of the WebSocket below it."""

    output: SocketOutput

    def end(self, close: CloseError) -> None:
        """Closes it. A second time changes nothing."""

    def hold(self) -> None:
        """No message is handed up until `go_on`."""

    def go_on(self) -> None:
        """Messages are handed up again."""

    def look_at(self, at: float) -> None:
        """Has `look` called then (event loop's clock, seconds), or earlier."""


class SocketConnection:
    """What one client has asked for. Raises CloseError where the client must go."""

    __slots__ = (
        "_deadline",
        "_has_init",
        "_is_open",
        "_operations",
        "_signing_in",
        "_token",
        "_viewer_id",
        "address",
        "claims",
        "state",
        "wire",
    )

    def __init__(self, wire: Wire, state: WebState, address: str | None) -> None:
        """`address`: the client's, as limits tell addresses apart."""
        self.wire = wire
        self.state = state
        self.address = address
        self.claims: Claims | None = None
        self._token: str | None = None
        self._has_init = False
        self._is_open = False
        self._viewer_id: int | None = None
        self._signing_in: asyncio.Task[None] | None = None
        self._operations: dict[str, QueryOperation | SocketSubscription] = {}
        self._deadline: float | None = asyncio.get_running_loop().time() + INIT_SECONDS
        wire.look_at(self._deadline)

    @property
    def output(self) -> SocketOutput:
        """Where what is sent is put."""
        return self.wire.output

    def receive(self, text: str) -> None:
        """Handles a message."""
        message = read_message(text)
        match message.type:
            case "ping":
                self.send({"type": "pong"} | ({} if message.payload is None else {"payload": message.payload}))
            case "pong":
                pass
            case "connection_init":
                self._initialise(message)
            case "subscribe":
                self._subscribe(message)
            case "complete":
                # An unknown one has just ended by itself.
                operation = self._operations.pop(message.id, None)
                if operation is not None:
                    operation.close()

    def look(self, now: float) -> float | None:
        """Raises CloseError where the client's time is over; returns when it will be, None for never."""
        if self._deadline is not None and now >= self._deadline:
            if self._is_open:
                raise CloseError(CloseCode.FORBIDDEN, "the token has expired")
            if self._has_init:
                raise CloseError(CloseCode.TRY_LATER, "too many sockets at once")
            raise CloseError(CloseCode.INIT_TIMEOUT, "connection_init did not arrive in time")
        return self._deadline

    def resume(self) -> None:
        """The client reads again."""
        for operation in tuple(self._operations.values()):
            operation.go_on()

    def say_goodbye(self) -> None:
        """The process is about to end: subscriptions say from where the client can resume."""
        for operation in tuple(self._operations.values()):
            operation.say_goodbye()

    def release(self) -> None:
        """Ends everything that belongs to it; nothing is sent any more. A second time changes nothing."""
        self._deadline = None
        self.state.sockets.admission.withdraw(self)
        if self._signing_in is not None:
            self._signing_in.cancel()
        if self._viewer_id is not None:
            self.state.sockets.leave(self._viewer_id, self.wire)
            self._viewer_id = None
        operations, self._operations = self._operations, {}
        for operation in operations.values():
            operation.close()

    def send(self, message: dict[str, Any]) -> None:
        """Sends a message."""
        self.output.put_text(encode_json(message))

    # ------------------------------------------------------------------ who is there

    def _initialise(self, message: ClientMessage) -> None:
        if self._has_init:
            raise CloseError(CloseCode.SECOND_INIT, "connection_init came twice")
        self._has_init = True
        self._deadline = None
        try:
            self._token = bearer_from_connection_init(message.payload)
        except AuthenticationError as problem:
            raise _refused(problem) from None
        if self._token is None:
            self._acknowledge()
            return
        self.wire.hold()
        self._deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
        self.wire.look_at(self._deadline)
        if not self.state.sockets.admission.arrive(self):
            raise CloseError(CloseCode.TRY_LATER, "too many sockets at once")

    def come_in(self) -> None:
        """Its turn to sign in has come."""
        self._deadline = None
        self._signing_in = asyncio.get_running_loop().create_task(self._sign_in(), name="sign-in")
        # Not at the task's own end: one that is cancelled before its first step has none.
        self._signing_in.add_done_callback(lambda _: self.state.sockets.admission.leave())

    async def _sign_in(self) -> None:
        state = self.state
        try:
            assert self._token is not None
            self.claims = await state.deadline.run(state.verifier.verify(self._token))
            viewer = await state.deadline.run(state.load_viewer(self.claims))
            if viewer is not None:
                self._enter(viewer.id)
            self._acknowledge()
        except CloseError as close:
            self.wire.end(close)
        except (KeySetUnavailableError, UnavailableError):
            self.wire.end(CloseError(CloseCode.TRY_LATER, "signing in is not possible at the moment"))
        except AuthenticationError as problem:
            self.wire.end(_refused(problem))
        except Exception:
            log.exception("socket.sign_in_failed")
            self.wire.end(CloseError(CloseCode.FAULT, "something went wrong on our side"))
        finally:
            self._token = self._signing_in = None
        self.wire.go_on()

    def _enter(self, viewer_id: int) -> None:
        if not self.state.sockets.enter(viewer_id, self.wire, has_limits=self.state.has_limits):
            raise CloseError(CloseCode.TRY_LATER, "too many sockets")
        self._viewer_id = viewer_id

    def _acknowledge(self) -> None:
        self._is_open = True
        if self.claims is not None:
            self._deadline = asyncio.get_running_loop().time() + max(0.0, seconds_until(self.claims))
            self.wire.look_at(self._deadline)
        self.output.put_text(_ACK)

    # ------------------------------------------------------------------ operations

    def _subscribe(self, message: ClientMessage) -> None:
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
            prepared = self.state.engine.prepare(wanted.query, wanted.operation_name, wanted.variables)
        except RequestError as problem:
            self.send({"type": "error", "id": message.id, "payload": problem.errors})
            return
        if prepared.type is not OperationType.SUBSCRIPTION:
            self._operations[message.id] = QueryOperation(self, message.id, prepared)
        elif self.state.has_limits and self._count_subscriptions() >= MAX_SUBSCRIPTIONS:
            limit = error(f"at most {MAX_SUBSCRIPTIONS} subscriptions at a time", "SUBSCRIPTION_LIMIT")
            self.send({"type": "error", "id": message.id, "payload": [limit]})
        else:
            subscription = SocketSubscription(self, message.id, prepared)
            self._operations[message.id] = subscription
            self.state.sockets.admission.ask(subscription)

    def _count_subscriptions(self) -> int:
        return sum(isinstance(operation, SocketSubscription) for operation in self._operations.values())

    def finish(self, operation_id: str, errors: list[dict[str, Any]]) -> None:
        """An operation has ended by itself: with errors alone, or well where there are none."""
        # The id is free before the client hears of the end, since it may use it again at once.
        self._operations.pop(operation_id, None)
        if errors:
            self.send({"type": "error", "id": operation_id, "payload": errors})
        else:
            self.send({"type": "complete", "id": operation_id})

    def refuse(self, problem: AuthenticationError) -> None:
        """The token counts no longer, or the account does not."""
        self.wire.end(_refused(problem))


def _refused(problem: AuthenticationError) -> CloseError:
    log.info("authentication.refused", reason=str(problem))
    return CloseError(CloseCode.FORBIDDEN, "the token is not accepted")
