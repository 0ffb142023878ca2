"""What a socket sends: messages of one tick of the event loop leave in one write.

Bytes wait in four places for a client that does not read: here for one tick, in the transport, in the kernel's send buffer, and
on the client's side. The first three are bounded by the constants below.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import structlog

from app.socket_frames import text_frame_head

HIGH_WATER_BYTES = 65_536
LOW_WATER_BYTES = 16_384
"""A transport that holds more than the one has no room until it holds less than the other."""
SEND_BUFFER_BYTES = 65_536
"""What is asked of the kernel, which takes twice as much to account for its own overhead."""

log = structlog.get_logger(__name__)


class Flushes:
    """The outputs of one process that have something to write at the end of this tick."""

    def __init__(self) -> None:
        self._waiting: list[SocketOutput] = []

    def add(self, output: SocketOutput) -> None:
        """Has it flushed soon, once."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append(output)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for output in waiting:
            try:
                output.flush()
            except Exception:
                log.exception("socket.flush_failed")


class SocketOutput:
    """The outgoing side of one socket. Nothing here waits, and nothing is ever dropped while the transport lives."""

    __slots__ = ("_flushes", "_is_awaited", "_on_room", "_parts", "_size", "_transport", "is_blocked")

    def __init__(self, transport: asyncio.Transport, flushes: Flushes, on_room: Callable[[], None]) -> None:
        """`on_room`: called when there is room again after there was none."""
        self._transport = transport
        self._flushes = flushes
        self._on_room = on_room
        self._parts: list[bytes] = []
        self._size = 0
        self._is_awaited = False
        self.is_blocked = False
        """Whether the transport holds more than HIGH_WATER_BYTES, or has not got rid of them since."""
        transport.set_write_buffer_limits(HIGH_WATER_BYTES, LOW_WATER_BYTES)
        kernel = transport.get_extra_info("socket")
        if kernel is not None:
            kernel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    @property
    def has_room(self) -> bool:
        """Whether the client reads fast enough to be sent more. Who asks and hears no is told when it does again."""
        if self.is_blocked or self._size >= HIGH_WATER_BYTES:
            self._is_awaited = True
            return False
        return True

    def put_text(self, *parts: bytes) -> None:
        """Sends the parts as one text message."""
        if not self._parts:
            self._flushes.add(self)
        size = sum(map(len, parts))
        self._parts += (text_frame_head(size), *parts)
        self._size += size

    def put_enclosed(self, head: bytes, payload: bytes, tail: bytes) -> None:
        """Sends the three as one text message. The same as `put_text`, for what is sent most often."""
        if not self._parts:
            self._flushes.add(self)
        size = len(head) + len(payload) + len(tail)
        self._parts += (text_frame_head(size), head, payload, tail)
        self._size += size

    def put_frame(self, frame: bytes) -> None:
        """Sends a frame that is one already, behind what was put before."""
        if not self._parts:
            self._flushes.add(self)
        self._parts.append(frame)
        self._size += len(frame)

    def flush(self) -> None:
        """Hands over what waits now. Without a transport that takes it, it is thrown away."""
        parts, self._parts = self._parts, []
        self._size = 0
        if parts and not self._transport.is_closing():
            self._transport.write(b"".join(parts))
        if self._is_awaited and not self.is_blocked:
            self._tell_room()

    def close(self) -> None:
        """The transport is gone: nothing is kept, and nobody hears of room."""
        self._parts = []
        self._on_room = _tell_nobody
        self._is_awaited = False

    def block(self) -> None:
        """The transport is full."""
        self.is_blocked = self._is_awaited = True

    def unblock(self) -> None:
        """The transport has room again."""
        self.is_blocked = False
        if self._is_awaited:
            self._tell_room()

    def _tell_room(self) -> None:
        self._is_awaited = False
        self._on_room()


def _tell_nobody() -> None:
    pass
