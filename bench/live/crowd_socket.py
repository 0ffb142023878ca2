"""One subscriber of the crowd: a WebSocket client that looks at as little of each message as it can."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import time
from array import array
from collections import Counter, defaultdict
from typing import cast

from bench.live.operations import SUBPROTOCOL, first_code, init_message, subscribe_message

MOST_POSTS = 20_000
"""Numbers that are told apart."""
_DIGITS = 6
_AFTER_ERROR_SECONDS = 0.5
_STALLED_BUFFER_BYTES = 4_096
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)
_HANDSHAKE = (
    "GET /graphql HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
).encode()
_CURSOR = re.compile(rb'"cursor": ?"([^"]+)"')
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_WHOLE_TEXT = 0x80 | _TEXT


def frame(opcode: int, payload: bytes) -> bytes:
    """A client's frame. Its mask is zero, which masks nothing and is as valid as any."""
    length = len(payload)
    size = bytes((0x80 | length,)) if length < 126 else b"\xfe" + length.to_bytes(2, "big")
    return bytes((0x80 | opcode,)) + size + b"\0\0\0\0" + payload


def _text(message: object) -> bytes:
    return frame(_TEXT, json.dumps(message, separators=(",", ":")).encode())


class Tally:
    """What all of them have taken together. `arrived`: by the post's number, monotonic seconds."""

    def __init__(self) -> None:
        self.events = 0
        self.bytes = 0
        self.others = 0
        self.arrived: defaultdict[int, array[float]] = defaultdict(lambda: array("d"))
        self.closes: Counter[int] = Counter()
        self.errors: Counter[str] = Counter()


class CrowdSocket(asyncio.Protocol):
    """Connected again and again; `taken` counts by post number, over all its connections."""

    def __init__(self, tally: Tally, token: str, field: str, *, never_reads: bool = False) -> None:
        self.transport: asyncio.Transport | None = None
        self.never_reads = never_reads
        self.taken = bytearray(MOST_POSTS)
        self._tally, self._token, self._field = tally, token, field
        self._rest = b""
        self._newest = b""
        self._is_upgraded = False
        self._subscribed: asyncio.Future[None] | None = None

    def fresh(self) -> CrowdSocket:
        """Ready for one more connection."""
        self._rest, self._is_upgraded = b"", False
        self._subscribed = asyncio.get_running_loop().create_future()
        return self

    async def subscribed(self) -> None:
        """Returns when the subscription has been sent. Raises OSError where the connection ended before."""
        assert self._subscribed is not None
        await self._subscribed

    @property
    def is_open(self) -> bool:
        return self.transport is not None

    def cut(self) -> None:
        """A TCP reset, without a word."""
        if self.transport is not None:
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
            self.transport.abort()

    # ------------------------------------------------------------------ called by the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        if self.never_reads:
            own = self.transport.get_extra_info("socket")
            own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _STALLED_BUFFER_BYTES)
        self.transport.write(_HANDSHAKE)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        if self._subscribed is not None and not self._subscribed.done():
            self._subscribed.set_exception(ConnectionResetError())

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        tally = self._tally
        tally.bytes += len(data)
        if self._rest:
            data = self._rest + data
        position, end = 0, len(data)
        if not self._is_upgraded:
            position = data.find(b"\r\n\r\n") + 4
            if position < 4:
                self._rest = data
                return
            self._upgrade(data[:position])
        taken, arrived = self.taken, tally.arrived
        while end - position >= 2:
            length, start = data[position + 1], position + 2
            if length == 126:
                start += 2
                if start > end:
                    break
                length = data[position + 2] << 8 | data[position + 3]
            elif length == 127:
                start += 8
                length = int.from_bytes(data[position + 2 : position + 10], "big")
            stop = start + length
            if stop > end:
                break
            found = data.find(b"<", start, stop) if data[position] == _WHOLE_TEXT else -1
            if found >= 0:
                number = int(data[found + 1 : found + 1 + _DIGITS])
                taken[number] += 1
                arrived[number].append(now)
                tally.events += 1
                self._newest = data if position == 0 and stop == end else data[start:stop]
            else:
                self._take_rare(data[position] & 15, data[start:stop])
            position = stop
        self._rest = data[position:] if position < end else b""

    # ------------------------------------------------------------------ what is rare

    def _upgrade(self, head: bytes) -> None:
        assert self.transport is not None
        self._is_upgraded = True
        if not head.startswith(b"HTTP/1.1 101"):
            self._tally.errors[head[:12].decode()] += 1
            self.transport.abort()
            return
        self.transport.write(_text(init_message(self._token)))

    def _take_rare(self, opcode: int, payload: bytes) -> None:
        assert self.transport is not None
        if opcode == _PING:
            self.transport.write(frame(_PONG, payload))
        elif opcode == _CLOSE:
            self._tally.closes[int.from_bytes(payload[:2], "big")] += 1
            self.transport.abort()
        elif opcode == _TEXT:
            message = json.loads(payload)
            if message["type"] == "connection_ack":
                self._subscribe()
            elif message["type"] == "ping":
                self.transport.write(_text({"type": "pong"}))
            elif message["type"] == "error" or "errors" in message.get("payload", {}):
                given = message["payload"]
                self._tally.errors[first_code(given if message["type"] == "error" else given["errors"])] += 1
                asyncio.get_running_loop().call_later(_AFTER_ERROR_SECONDS, self._subscribe)
            elif message["type"] == "next":
                self._tally.others += 1
                self._newest = payload

    def _subscribe(self) -> None:
        """From the last cursor on, wherever it was had."""
        if self.transport is None:
            return
        cursor = _CURSOR.search(self._newest)
        self.transport.write(_text(subscribe_message(self._field, cursor[1].decode() if cursor else None)))
        if self.never_reads:
            self.transport.pause_reading()
        if self._subscribed is not None and not self._subscribed.done():
            self._subscribed.set_result(None)
