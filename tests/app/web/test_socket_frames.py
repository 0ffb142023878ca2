"""WebSockets as nobody should speak them, byte by byte: each gets its close code, and nothing is logged as a fault."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from websockets.frames import Frame, Opcode

from app.message_rate import BURST_MESSAGES
from tests.app.web.running_server import WAIT_SECONDS, RunningServer

HEAD = {
    "Host": "127.0.0.1",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "graphql-transport-ws",
}


def handshake(path: str = "/graphql", **changes: str | None) -> bytes:
    headers = HEAD | {name.replace("_", "-"): value for name, value in changes.items()}
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode()


def masked(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


def text(message: object) -> bytes:
    return masked(Opcode.TEXT, json.dumps(message).encode())


@dataclass(frozen=True)
class RawSocket:
    """A connection after its handshake."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def frame(self) -> tuple[int, bytes]:
        """The next frame: its first byte and its payload."""
        async with asyncio.timeout(WAIT_SECONDS):
            first, length = await self.reader.readexactly(2)
            assert length < 126
            return first, await self.reader.readexactly(length)

    async def close_code(self) -> int:
        """Of the close frame, whatever stands before it; afterwards the server ends the connection."""
        while True:
            first, payload = await self.frame()
            if first == 0x88:
                self.writer.write(masked(Opcode.CLOSE, payload[:2]))
                async with asyncio.timeout(WAIT_SECONDS):
                    assert await self.reader.read() == b""
                return int.from_bytes(payload[:2], "big")


@asynccontextmanager
async def raw_connection(web: RunningServer, head: bytes) -> AsyncIterator[tuple[RawSocket, bytes]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    try:
        writer.write(head)
        async with asyncio.timeout(WAIT_SECONDS):
            yield RawSocket(reader, writer), await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.close()


@asynccontextmanager
async def raw_socket(web: RunningServer, *, is_initialised: bool = True) -> AsyncIterator[RawSocket]:
    async with raw_connection(web, handshake()) as (socket, answer):
        assert answer.startswith(b"HTTP/1.1 101 ")
        if is_initialised:
            socket.writer.write(text({"type": "connection_init"}))
            assert await socket.frame() == (0x81, b'{"type":"connection_ack"}')
        yield socket


@pytest.fixture(autouse=True)
def no_fault_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert [record for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info] == []


@pytest.mark.parametrize("is_initialised", [True, False])
@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (masked(Opcode.BINARY, b"{}"), 4400),
        (masked(Opcode.TEXT, b"\xff"), 1007),
        (masked(Opcode.TEXT, b'{"type":"p', fin=False) + masked(Opcode.CONT, b"\xc3("), 1007),
        (Frame(Opcode.TEXT, b"{}").serialize(mask=False), 1002),
        (bytes((0xC1,)) + masked(Opcode.TEXT, b"{}")[1:], 1002),
        (bytes((0x8B,)) + masked(Opcode.TEXT, b"{}")[1:], 1002),
        (bytes((0x89,)) + masked(Opcode.TEXT, b"x" * 126)[1:], 1002),
        (bytes((0x09,)) + masked(Opcode.PING, b"x")[1:], 1002),
        (masked(Opcode.CONT, b"{}"), 1002),
        (b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff" + b"x" * 1_000, 1009),
        (masked(Opcode.PING, b"") * (int(BURST_MESSAGES) + 500), 1013),
        (masked(Opcode.TEXT, b"", fin=False) + masked(Opcode.CONT, b"", fin=False) * (int(BURST_MESSAGES) + 500), 1013),
        (masked(Opcode.CLOSE, b"\x03\xe8"), 1000),
        (masked(Opcode.CLOSE, b"\x03"), 1002),
        (masked(Opcode.TEXT, b"[]") + masked(Opcode.TEXT, b"[]") + masked(Opcode.PING, b""), 4400),
    ],
    ids=itertools.count(),
)
async def test_each_fault_has_its_close_code(web: RunningServer, stream: bytes, code: int, *, is_initialised: bool) -> None:
    async with raw_socket(web, is_initialised=is_initialised) as socket:
        socket.writer.write(stream)
        assert await socket.close_code() == code


async def test_frames_may_come_byte_by_byte_and_many_at_once(web: RunningServer) -> None:
    async with raw_socket(web, is_initialised=False) as socket:
        stream = masked(Opcode.PING, b"p") + text({"type": "connection_init"}) + text({"type": "ping"})
        for at in range(len(stream)):
            socket.writer.write(stream[at : at + 1])
            await socket.writer.drain()
        frames = [await socket.frame() for _ in range(3)]
        assert frames == [(0x8A, b"p"), (0x81, b'{"type":"connection_ack"}'), (0x81, b'{"type":"pong"}')]
        socket.writer.write((text({"type": "ping"}) + masked(Opcode.PONG, b"nobody asked")) * 20)
        assert [await socket.frame() for _ in range(20)] == [(0x81, b'{"type":"pong"}')] * 20


async def test_close_with_unread_frames_before_it_is_answered(web: RunningServer) -> None:
    """A client that is told to go may have sent more before it hears of it."""
    async with raw_socket(web) as socket:
        socket.writer.write(text({"type": "ping"}) + text([]) + text({"type": "ping"}) * 50)
        assert await socket.close_code() == 4400


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (handshake("/elsewhere"), 404),
        (handshake("/graphql/"), 404),
        (handshake(Origin="https://evil.example"), 403),
        (handshake(Sec_WebSocket_Key=None), 400),
        (handshake(Sec_WebSocket_Key="short"), 400),
        (handshake(Sec_WebSocket_Version="8"), 400),
        (handshake(Sec_WebSocket_Protocol="\x01"), 400),
        (handshake().replace(b"GET", b"POST"), 405),
    ],
)
async def test_what_is_no_handshake_is_refused(web: RunningServer, head: bytes, status: int) -> None:
    async with raw_connection(web, head) as (socket, answer):
        assert answer.startswith(b"HTTP/1.1 %d " % status), answer
        async with asyncio.timeout(WAIT_SECONDS):
            await socket.reader.read()


async def test_path_may_have_a_query(web: RunningServer) -> None:
    async with raw_connection(web, handshake("/graphql?token=ignored")) as (_, answer):
        assert answer.startswith(b"HTTP/1.1 101 ")
