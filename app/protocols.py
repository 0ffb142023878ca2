"""uvicorn's HTTP protocol with what it lacks: limits on what is sent beside a body, and word of its end for long answers."""

from __future__ import annotations

import asyncio
import socket
import weakref
from itertools import chain
from typing import Any, Protocol, cast

import httptools
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 32_768
MAX_HEADERS = 100
HEAD_SECONDS = 10.0
LINGER_SECONDS = 1.0
"""What a client sends so long after its answer is read and thrown away; then the connection ends."""

_STATUS = b"HTTP/1.1 200 OK\r\n"
_CONNECTION = "connection"
"""Name, in the state of a request, of a weak reference to the connection: a strong one would be a cycle for each request."""


class LongAnswer(Protocol):
    """An answer that goes on for a long time, and hears of what happens to its connection."""

    def connection_lost(self) -> None:
        """The client has gone."""

    def shutdown(self) -> None:
        """The process is about to end."""


class LimitedHttpProtocol(HttpToolsProtocol):
    """Bounds the head of a request in size and time, and what a client still sends after its answer.

    A head over MAX_HEAD_BYTES or with more than MAX_HEADERS headers gets 400; one that takes over HEAD_SECONDS gets nothing.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._is_in_head = True
        self._has_ended_one = False
        self._timer: asyncio.TimerHandle | None = None
        self._long_answer: LongAnswer | None = None
        self._every: object = None
        self._head = b""

    def attach(self, answer: LongAnswer) -> None:
        """Tells the answer what happens here; nobody else any more."""
        self._long_answer = answer

    def bound_buffers(self, buffer_bytes: int) -> None:
        """No more than this waits for the client in the transport, and in the kernel."""
        self.transport.set_write_buffer_limits(buffer_bytes)
        kernel = self.transport.get_extra_info("socket")
        if kernel is not None and not self.transport.is_closing():
            kernel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer_bytes)

    def answer(self, scope: Scope, send: Send, headers: bytes, body: bytes) -> bool:
        """Writes a whole answer with status 200, `headers` as lines. False, and nothing is done, where something is out of the
        ordinary: then it goes the way of ASGI, which looks at each header again, and at the answer in parts.

        `send`: what would be called otherwise. Where that is not the server's own, somebody wants to see what is sent.
        """
        cycle = self.cycle
        if (
            cycle is None
            or cycle.scope is not scope
            or getattr(send, "__self__", None) is not cycle
            or cycle.response_started
            or cycle.disconnected
            or not cycle.keep_alive
            or self.flow.write_paused
            or scope["method"] == "HEAD"
        ):
            return False
        every = self.server_state.default_headers
        if every is not self._every:
            # Made anew each second, for the date in it.
            self._every, self._head = every, _STATUS + b"".join([b"%b: %b\r\n" % header for header in every])
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        self.transport.write(b"%b%bcontent-length: %d\r\n\r\n%b" % (self._head, headers, len(body), body))
        cycle.message_event.set()
        cycle.on_response()
        return True

    def take_body(self, scope: Scope, receive: Receive) -> bytes | None:
        """The whole body, where it is here already; None, and nothing is done, where it is not, or anything is out of the
        ordinary: then `receive` gives it.

        `receive`: what would be called otherwise, as with `answer`.
        """
        cycle = self.cycle
        if (
            cycle is None
            or cycle.scope is not scope
            or getattr(receive, "__self__", None) is not cycle
            or cycle.more_body
            or cycle.disconnected
            or cycle.response_complete
            or cycle.waiting_for_100_continue
        ):
            return None
        self.flow.resume_reading()
        cycle.message_event.clear()
        body, cycle.body = bytes(cycle.body), bytearray()
        return body

    def detach(self) -> None:
        """The answer has ended."""
        self._long_answer = None

    def abort(self) -> None:
        """Ends the connection with what is still buffered for a client that does not take it."""
        self.transport.abort()

    def shutdown(self) -> None:
        """The process is about to end. Called by uvicorn."""
        super().shutdown()
        if self._long_answer is not None:
            self._long_answer.shutdown()

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._close_in(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._keep_open()
        super().connection_lost(exc)
        if self._long_answer is not None:
            self._long_answer.connection_lost()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"][_CONNECTION] = weakref.ref(self)

    def data_received(self, data: bytes) -> None:
        self._has_ended_one = False
        super().data_received(data)
        if not self._is_in_head or self._has_ended_one or self.transport.is_closing():
            return
        if self._timer is None:
            self._close_in(HEAD_SECONDS)
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self.send_400_response("Request head too large.")

    def on_headers_complete(self) -> None:
        size = len(self.url) + sum(map(len, chain.from_iterable(self.headers)))
        if size > MAX_HEAD_BYTES or len(self.headers) > MAX_HEADERS:
            raise httptools.HttpParserError("the head is too large")
        self._is_in_head = False
        self._keep_open()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_in_head = self._has_ended_one = True
        self._head_bytes = 0
        self._keep_open()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._is_in_head and not self.transport.is_closing():
            # Answered before the body was read. Closing at once could destroy the answer on its way.
            self._close_in(LINGER_SECONDS)

    def handle_websocket_upgrade(self) -> None:
        super().handle_websocket_upgrade()
        # This object and its parser hold one another: thousands of such pairs would wait for the garbage collector.
        self.parser = None  # type: ignore[assignment]

    def _close_in(self, seconds: float) -> None:
        self._keep_open()
        self._timer = self.loop.call_later(seconds, self.transport.close)

    def _keep_open(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def connection_of(scope: Scope) -> LimitedHttpProtocol | None:
    """The connection on which a request came; None where it is gone already, or the server is another one."""
    known = scope["state"].get(_CONNECTION)
    return cast("LimitedHttpProtocol | None", known()) if known is not None else None
