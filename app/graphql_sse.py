"""GraphQL over Server-Sent Events, distinct connections mode: https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md.

A stream is an ordinary HTTP answer that does not end by itself. `id:` of an event is the cursor behind it, so that a client
that reconnects says in `Last-Event-ID` where it stands.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response as HttpResponse
from starlette.types import Message, Receive, Scope, Send

from app import metrics
from app.answers import NO_STORE, encode_json, refusal
from app.authentication.claims import Claims
from app.media_types import STREAM_TYPE
from app.protocols import LimitedHttpProtocol, connection_of
from app.socket_messages import CloseCode, CloseError
from app.web_state import WebState, seconds_until
from resolvers.context import OperationContext
from schema.errors import INTERNAL, SUBSCRIPTION_LIMIT, UNAUTHENTICATED, UNAVAILABLE, error
from schema.execution import Operation, Response
from schema.live import LiveSubscription

KEEP_ALIVE_SECONDS = (12.0, 15.0)
"""A comment is sent after so long a silence, or a proxy takes the stream for dead; not by all streams at the same instant."""
SEND_SECONDS = 30.0
"""A client that takes nothing for so long is cut off; it can resume from its last cursor."""
LATE_SECONDS = 2.0
"""The same where its token has expired, or its account may no longer be here."""
RESTART_SECONDS = 0.5
"""The same while the process ends."""
BUFFER_BYTES = 65_536
"""What may wait here, and again in the transport and in the kernel."""

HEADERS = {**NO_STORE, "Content-Type": f"{STREAM_TYPE}; charset=utf-8", "X-Accel-Buffering": "no"}
_LATER = {"Retry-After": "5"}
_COMMENT = b":\n\n"
# An empty line of data, without which browsers would not hear of the event.
_COMPLETE = b"event: complete\ndata:\n\n"

log = structlog.get_logger(__name__)


def next_event(payload: bytes, cursor: str | None = None) -> bytes:
    """One GraphQL response, as JSON without line breaks, as an event."""
    place = b"id: " + cursor.encode("ascii") + b"\n" if cursor is not None else b""
    return b"event: next\n" + place + b"data: " + payload + b"\n\n"


def stream_of_one(response: Response) -> HttpResponse:
    """The answer to what is answered once: one event, and the end."""
    return HttpResponse(next_event(encode_json(response)) + _COMPLETE, headers=HEADERS)


class _Turn:
    """A visit at the gate for those who come back all at once; a `LongAnswer` as long as it waits."""

    def __init__(self) -> None:
        self.has_come: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def come_in(self) -> None:
        """Its turn has come."""
        self._settle(True)

    def connection_lost(self) -> None:
        """Nobody waits any more."""
        self._settle(False)

    def shutdown(self) -> None:
        """Nobody will be let in any more."""
        self._settle(False)

    def _settle(self, has_come: bool) -> None:
        if not self.has_come.done():
            self.has_come.set_result(has_come)


async def open_stream(
    request: Request, state: WebState, operation: Operation, claims: Claims | None, address: str | None
) -> EventStream | HttpResponse:
    """The stream, to be called as the answer, or a refusal to have it. Raises what `WebState.begin_subscription` raises."""
    connection = connection_of(request.scope)
    if connection is None:
        return _come_later()
    admission, turn = state.sockets.admission, _Turn()
    connection.attach(turn)
    if not admission.arrive(turn):
        return _come_later()
    try:
        if not await turn.has_come:
            return _come_later()
        last_event_id = request.headers.get("last-event-id") or None
        begin = state.begin_subscription(operation, claims, address=address, resume_after=last_event_id)
        context = await state.deadline.run(begin)
    finally:
        connection.detach()
        if turn.has_come.done() and not turn.has_come.cancelled() and turn.has_come.result():
            admission.leave()
        else:
            admission.withdraw(turn)
    stream = EventStream(state, operation, context, expires_in_seconds=seconds_until(claims) if claims else None)
    if stream.enter():
        return stream
    return refusal("too many sockets and streams of this account", SUBSCRIPTION_LIMIT, status=429, headers=_LATER)


def _come_later() -> HttpResponse:
    return refusal("too many streams at once", UNAVAILABLE, status=503, headers=_LATER)


class EventStream:
    """The answer to a subscription: an ASGI application that is called once, and a `schema.live.LiveSink`."""

    def __init__(
        self, state: WebState, operation: Operation, context: OperationContext, *, expires_in_seconds: float | None
    ) -> None:
        """`expires_in_seconds`: what is left of the token's time; None without a token."""
        now = asyncio.get_running_loop().time()
        self._state = state
        self._operation = operation
        self._context = context
        self._expires_at = now + max(0.0, expires_in_seconds) if expires_in_seconds is not None else float("inf")
        self._running: LiveSubscription | None = None
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._is_awaited = False
        self._limit: asyncio.Timeout | None = None
        self._is_over = False
        self._is_ending = False
        self._is_lost = False
        self._rung = asyncio.Event()

    def enter(self) -> bool:
        """Counts it among the sockets of its user; False where that would be one too many. Then it must be called."""
        viewer_id = self._context.viewer_id
        return viewer_id is None or self._state.sockets.enter(viewer_id, self, has_limits=self._state.has_limits)

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        connection = connection_of(scope)
        metrics.LIVE_SUBSCRIBERS.inc()
        try:
            # Who has left while the stream was being opened has nothing to attach to.
            if connection is not None and not connection.transport.is_closing():
                connection.attach(self)
                connection.bound_buffers(BUFFER_BYTES)
                await self._answer(connection, send)
        finally:
            metrics.LIVE_SUBSCRIBERS.dec()
            self._is_over = True
            if connection is not None:
                connection.detach()
            if self._running is not None:
                self._running.close()
            if self._context.viewer_id is not None:
                self._state.sockets.leave(self._context.viewer_id, self)

    async def _answer(self, connection: LimitedHttpProtocol, send: Send) -> None:
        headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
        try:
            await self._send(send, {"type": "http.response.start", "status": 200, "headers": headers})
            await self._write(send, _COMMENT)
            await self._begin()
            await self._go_through(send)
        except TimeoutError:
            connection.abort()
            with suppress(TimeoutError):
                async with asyncio.timeout(RESTART_SECONDS):
                    while not self._is_lost:
                        self._rung.clear()
                        await self._rung.wait()

    async def _begin(self) -> None:
        try:
            self._running = await self._state.watch(self._operation, self._context, self)
        except Exception:
            log.exception("stream.failed")
            self.fail([error("something went wrong on our side", INTERNAL)])

    async def _go_through(self, send: Send) -> None:
        """Writes what is put, until nothing more will be. Raises TimeoutError where the client takes nothing."""
        while not self._is_lost:
            if not self._is_over and asyncio.get_running_loop().time() >= self._expires_at:
                self.fail([error("the token has expired", UNAUTHENTICATED)])
            if self._waiting:
                chunk, self._waiting = b"".join(self._waiting), []
                await self._write(send, chunk)
            elif self._is_over:
                await self._send(send, {"type": "http.response.body", "body": b"", "more_body": False})
                return
            elif not await self._is_rung():
                await self._write(send, _COMMENT)

    async def _write(self, send: Send, chunk: bytes) -> None:
        await self._send(send, {"type": "http.response.body", "body": chunk, "more_body": True})
        self._waiting_bytes = sum(map(len, self._waiting))
        if self._is_awaited and self._running is not None and self.has_room:
            self._running.go_on()

    async def _send(self, send: Send, message: Message) -> None:
        """Waits only where the transport still holds too much of what was sent before."""
        left = self._expires_at - asyncio.get_running_loop().time()
        patience = RESTART_SECONDS if self._is_ending else min(SEND_SECONDS, max(0.0, left) + LATE_SECONDS)
        try:
            async with asyncio.timeout(patience) as self._limit:
                await send(message)
        finally:
            self._limit = None

    def _hurry(self, seconds: float) -> None:
        """What is being sent has no more than this time."""
        at = asyncio.get_running_loop().time() + seconds
        if self._limit is not None and not self._limit.expired() and at < (self._limit.when() or at):
            self._limit.reschedule(at)

    async def _is_rung(self) -> bool:
        """Waits until there is something to do; False where the client should be shown that somebody is still here."""
        left = self._expires_at - asyncio.get_running_loop().time()
        quiet = random.uniform(*KEEP_ALIVE_SECONDS)  # noqa: S311
        with suppress(TimeoutError):
            async with asyncio.timeout(min(quiet, left)):
                await self._rung.wait()
        is_rung = self._rung.is_set() or left <= quiet
        self._rung.clear()
        return is_rung

    # ------------------------------------------------------------------ the sink

    @property
    def has_room(self) -> bool:
        """Whether the client reads fast enough to be sent more. Nobody asks in the middle of sending, unless it waits."""
        self._is_awaited = self._limit is not None or self._waiting_bytes >= BUFFER_BYTES
        return not self._is_awaited

    def put(self, payload: bytes, cursor: str | None) -> None:
        """Sends an answer."""
        if not self._is_over:
            self._add(next_event(payload, cursor))

    def fail(self, errors: list[dict[str, Any]]) -> None:
        """It has ended by these errors."""
        if not self._is_over:
            self._add(next_event(encode_json({"errors": errors})) + _COMPLETE)
            self._is_over = True

    def complete(self) -> None:
        """It has ended by itself."""
        if not self._is_over:
            self._add(_COMPLETE)
            self._is_over = True

    def _add(self, event: bytes) -> None:
        self._waiting.append(event)
        self._waiting_bytes += len(event)
        self._rung.set()

    # ------------------------------------------------------------------ what happens to the connection

    def end(self, close: CloseError) -> None:
        """Ends it as a socket of the same user is closed: for good where the user may no longer be here."""
        if close.code is CloseCode.FORBIDDEN:
            self.fail([error(close.reason, UNAUTHENTICATED)])
        self._is_over = True
        self._hurry(LATE_SECONDS)
        self._rung.set()

    def shutdown(self) -> None:
        """Last words, and no `complete`: the client comes back with its last cursor."""
        self._is_ending = True
        if self._running is not None and not self._is_over:
            try:
                self._running.say_goodbye()
            except Exception:
                log.exception("stream.goodbye_failed")
        self._is_over = True
        self._hurry(RESTART_SECONDS)
        self._rung.set()

    def connection_lost(self) -> None:
        """Nobody is there any more."""
        self._is_lost = self._is_over = True
        self._rung.set()
