"""A WebSocket of our own below graphql-transport-ws, at the level of the transport.

uvicorn's HTTP protocol hands a connection over when it asks to be upgraded. No ASGI application runs for it, and an idle one
has no task, no queue, no timer and no parser of its own: one process holds ten thousand.
"""

from __future__ import annotations

import asyncio
import random
from enum import IntEnum
from typing import Any, cast

import structlog
from uvicorn.config import Config
from uvicorn.server import ServerState
from websockets.frames import Opcode

from app.graphql_ws import shake_hands
from app.message_rate import MessageRate
from app.request_json import MAX_BYTES
from app.socket_connection import SocketConnection
from app.socket_frames import PING, FrameReader, close_answer, close_frame, pong_frame
from app.socket_messages import PROTOCOL, CloseCode, CloseError
from app.socket_output import SocketOutput
from app.web_state import STATE, WebState

PING_SECONDS = 20.0
"""Between two pings; who has sent nothing at all since the last one, not even its answer, is gone."""
SEND_SECONDS = 30.0
"""A client that takes nothing for so long is closed with 4008; it can resume from its last cursor."""
CLOSE_SECONDS = 2.0
"""A client has so long to answer our close frame."""
RESTART_SECONDS = 0.5
"""The same while the process ends."""
ABORT_SECONDS = 5.0
"""Then, a connection whose client takes nothing is dropped with what is still buffered for it."""

log = structlog.get_logger(__name__)


class _Phase(IntEnum):
    HANDSHAKE = 0
    OPEN = 1
    CLOSING = 2
    """A close frame is sent; the client's is awaited."""
    DEAF = 3
    """The same, and what comes in is thrown away."""
    ENDED = 4


class SocketProtocol(asyncio.Protocol):
    """One WebSocket, from its handshake to the end of its transport. uvicorn makes it, by these arguments."""

    __slots__ = (
        "_blocked_at", "_connection", "_connections", "_deadline", "_has_heard", "_is_held", "_is_paused", "_phase", "_ping_at",
        "_rate", "_reader", "_state", "_transport", "box", "output",
    )  # fmt: skip

    output: SocketOutput

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._state = cast("WebState", app_state[STATE])
        self._connections: set[Any] = server_state.connections
        self._connection: SocketConnection | None = None
        self._phase = _Phase.HANDSHAKE
        self._reader: FrameReader | None = None
        self._rate = MessageRate()
        self._has_heard = True
        self._is_held = self._is_paused = False
        self._blocked_at = self._deadline = 0.0
        self._ping_at = 0.0
        self.box = 0

    # ------------------------------------------------------------------ the transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._phase is _Phase.HANDSHAKE:
            self._open(data)
        elif self._phase in (_Phase.OPEN, _Phase.CLOSING):
            self._has_heard = True
            if self._reader is None:
                self._reader = FrameReader()
            self._reader.feed(data)
            self._read()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._state.sockets.wheel.drop(self)
        self._release()
        # What holds one another here would wait for the garbage collector, which comes seldom.
        if self._phase in (_Phase.OPEN, _Phase.CLOSING, _Phase.DEAF):
            self.output.close()
        self._connection = self._reader = None
        self._phase = _Phase.ENDED

    def pause_writing(self) -> None:
        self.output.block()
        self._blocked_at = asyncio.get_running_loop().time()
        self._pause_reading()
        self.look_at(self._blocked_at + SEND_SECONDS)

    def resume_writing(self) -> None:
        self._blocked_at = 0.0
        self.output.unblock()
        self._read_on()

    def shutdown(self) -> None:
        """The process ends: last words, and 1012. Called by uvicorn."""
        if self._phase is _Phase.HANDSHAKE:
            self._transport.close()
        if self._phase is not _Phase.OPEN:
            return
        if self._connection is not None:
            try:
                self._connection.say_goodbye()
            except Exception:
                log.exception("socket.goodbye_failed")
        self.end(CloseError(CloseCode.RESTART, "the server restarts"), seconds=RESTART_SECONDS)
        # Ten thousand answers need not be read one by one: the end of each connection is enough.
        self._go_deaf()

    # ------------------------------------------------------------------ the handshake

    def _open(self, head: bytes) -> None:
        handshake = shake_hands(head, self._state.settings.allowed_origins)
        self._transport.write(handshake.answer)
        if not handshake.is_open:
            self._phase = _Phase.ENDED
            self._transport.close()
            return
        self.output = SocketOutput(self._transport, self._state.sockets.flushes, self._tell_room)
        self._phase = _Phase.OPEN
        # Not all at the same instant where all have come at the same instant.
        self._ping_at = asyncio.get_running_loop().time() + PING_SECONDS * random.uniform(0.5, 1.0)  # noqa: S311
        self.look_at(self._ping_at)
        if handshake.speaks:
            peer = self._transport.get_extra_info("peername")
            address = self._state.addresses.key(peer[0] if isinstance(peer, tuple) else None, handshake.forwarded_for)
            self._connection = SocketConnection(self, self._state, address)
        else:
            self.end(CloseError(CloseCode.OTHER_PROTOCOL, f"speak {PROTOCOL}"))

    # ------------------------------------------------------------------ what comes in

    def _read(self) -> None:
        """Handles what has come, as far as messages are handed up now."""
        reader = self._reader
        if reader is None:
            return
        while not self._is_held and not self._blocked_at and self._phase in (_Phase.OPEN, _Phase.CLOSING):
            try:
                frame = reader.read()
            except CloseError as close:
                self.end(close)
                self._go_deaf()
                return
            if frame is None:
                break
            try:
                self._take(*frame)
            except CloseError as close:
                self.end(close)
            except Exception:
                log.exception("socket.reader_failed")
                self.end(CloseError(CloseCode.FAULT, "something went wrong on our side"))
        if reader.is_idle:
            self._reader = None
        elif reader.buffered_bytes > MAX_BYTES and (self._is_held or self._blocked_at):
            self._pause_reading()

    def _take(self, opcode: Opcode, data: bytes) -> None:
        if opcode is Opcode.CLOSE:
            self._part(data)
        if self._phase is not _Phase.OPEN:
            return
        if self._state.has_limits and not self._rate.admits(asyncio.get_running_loop().time()):
            raise CloseError(CloseCode.TRY_LATER, "too many messages")
        if opcode is Opcode.PING:
            self.output.put_frame(pong_frame(data))
        elif opcode is Opcode.BINARY:
            raise CloseError(CloseCode.MALFORMED, "binary frames are not accepted")
        elif opcode is Opcode.TEXT and self._connection is not None:
            try:
                text = data.decode()
            except UnicodeDecodeError:
                raise CloseError(CloseCode.INVALID_TEXT, "the message is not UTF-8") from None
            self._connection.receive(text)

    def hold(self) -> None:
        """No message is handed up until `go_on`."""
        self._is_held = True

    def go_on(self) -> None:
        """Messages are handed up again."""
        self._is_held = False
        self._read_on()

    def _tell_room(self) -> None:
        if self._connection is not None:
            self._connection.resume()

    def _pause_reading(self) -> None:
        if not self._is_paused and not self._transport.is_closing():
            self._is_paused = True
            self._transport.pause_reading()

    def _read_on(self) -> None:
        if self._phase is _Phase.ENDED:
            return
        self._read()
        if self._is_paused and not self._is_held and not self._blocked_at and not self._transport.is_closing():
            self._is_paused = False
            self._transport.resume_reading()

    # ------------------------------------------------------------------ time

    def look_at(self, at: float) -> None:
        """Has `look` called then (event loop's clock, seconds), or earlier."""
        self._state.sockets.wheel.hasten(self, at)

    def look(self, now: float) -> float | None:
        """Does what is due; returns when something will be."""
        if self._phase is _Phase.OPEN:
            try:
                return self._look_open(now)
            except CloseError as close:
                self.end(close)
        if self._phase is _Phase.ENDED:
            return None
        if now < self._deadline:
            return self._deadline
        if self._transport.is_closing():
            self._transport.abort()
            return None
        self._transport.close()
        self._deadline = now + ABORT_SECONDS
        return self._deadline

    def _look_open(self, now: float) -> float:
        if self._blocked_at and now >= self._blocked_at + SEND_SECONDS:
            raise CloseError(CloseCode.TOO_SLOW, "the client reads too slowly")
        over = self._connection.look(now) if self._connection is not None else None
        if now >= self._ping_at:
            if not self._has_heard and not self._is_paused:
                raise CloseError(CloseCode.FAULT, "pings are not answered")
            self._has_heard = False
            self._ping_at = now + PING_SECONDS
            self.output.put_frame(PING)
        times = (self._ping_at, over, self._blocked_at + SEND_SECONDS if self._blocked_at else None)
        return min(time for time in times if time is not None)

    # ------------------------------------------------------------------ the end

    def end(self, close: CloseError, *, seconds: float | None = None) -> None:
        """Closes it from our side, and gives the client so many seconds to answer. A second time changes nothing."""
        if self._phase is not _Phase.OPEN:
            return
        self._release()
        self._phase = _Phase.CLOSING
        self._deadline = asyncio.get_running_loop().time() + (CLOSE_SECONDS if seconds is None else seconds)
        self.output.put_frame(close_frame(close.code, close.reason))
        self.output.flush()
        # The client's own close frame is waited for, whatever else stands before it.
        self._is_held, self._blocked_at = False, 0.0
        if self._is_paused and not self._transport.is_closing():
            self._is_paused = False
            self._transport.resume_reading()
        self.look_at(self._deadline)

    def _go_deaf(self) -> None:
        """Closed, and what still comes in does not matter: told that nothing follows, the client ends the connection."""
        self._phase = _Phase.DEAF
        self._reader = None
        if self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()

    def _part(self, data: bytes) -> None:
        """The client has closed, or answered our close."""
        if self._phase is _Phase.OPEN:
            self._release()
            self.output.put_frame(close_answer(data))
            self.output.flush()
        self._phase = _Phase.DEAF
        self._transport.close()
        self._deadline = asyncio.get_running_loop().time() + ABORT_SECONDS
        self.look_at(self._deadline)

    def _release(self) -> None:
        if self._connection is not None:
            self._connection.release()
