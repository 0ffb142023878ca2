"""uvicorn's HTTP protocol with what it lacks: limits on what is sent beside a body, and word of its end for long answers."""

from __future__ import annotations

import asyncio
import socket
import weakref
from typing import Any, Protocol, cast

import httptools
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 32_768
MAX_HEADERS = 100
HEAD_SECONDS = 10.0
LINGER_SECONDS = 1.0
"""What a client sends so long after its answer is read and thrown away; then the connection ends."""

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

    def attach(self, answer: LongAnswer) -> None:
        """Tells the answer what happens here; nobody else any more."""
        self._long_answer = answer

    def bound_buffers(self, buffer_bytes: int) -> None:
        """No more than this waits for the client in the transport, and in the kernel."""
        self.transport.set_write_buffer_limits(buffer_bytes)
        kernel = self.transport.get_extra_info("socket")
        if kernel is not None and not self.transport.is_closing():
            kernel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer_bytes)

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
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
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
    """The connection on which a request came; None where it is gone already."""
    return cast("LimitedHttpProtocol | None", scope["state"][_CONNECTION]())
