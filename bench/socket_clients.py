"""Thousands of subscribers on bare transports, in a process of their own: `python -m bench.socket_clients PORT`.

Commands come as lines on stdin, answers as lines of JSON on stdout. Messages are counted, not read: the client shall cost as
little as it can, since it shares the machine with the server.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import sys
import time
from datetime import timedelta

import uvloop

from app.authentication.development_token import mint_development_token
from bench.socket_server import OPEN_FILES
from settings import DEVELOPMENT_JWT_SECRET

_CONNECTS_AT_A_TIME = 200
_HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
_SUBSCRIPTION = (
    "subscription { newPosts { cursor edge { cursor node { id text createdAt author { id username displayName } } } } }"
)
_PONG = b"\x8a\x80\0\0\0\0"


class Tally:
    """What has come over all sockets."""

    def __init__(self) -> None:
        self.messages = 0
        self.arrivals: list[float] | None = None
        self.last_at = 0.0
        self.codes: dict[int, int] = {}


class Client(asyncio.Protocol):
    """One subscriber. `ready` is done when it has been acknowledged and has subscribed."""

    def __init__(self, number: int, tally: Tally) -> None:
        self._number = number
        self._tally = tally
        self._rest = b""
        self._is_open = False
        self.transport: asyncio.Transport
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self.transport = transport  # type: ignore[assignment]
        self.transport.write(_HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        if not self._is_open:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._rest = head
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self._is_open = True
            token = mint_development_token(DEVELOPMENT_JWT_SECRET, str(self._number), username="bench", ttl=timedelta(hours=6))
            self._send({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}})
        self._rest = self._take_frames(data)

    def _take_frames(self, data: bytes) -> bytes:
        at, size = 0, len(data)
        while size - at >= 2:
            length, head = data[at + 1], 2
            if length == 126:
                length, head = int.from_bytes(data[at + 2 : at + 4], "big"), 4
            end = at + head + length
            if end > size:
                break
            self._take(data[at], data, at + head, end)
            at = end
        return data[at:]

    def _take(self, first: int, data: bytes, begin: int, end: int) -> None:
        if first == 0x89:
            self.transport.write(_PONG)
        elif first == 0x88:
            code = int.from_bytes(data[begin : begin + 2], "big")
            self._tally.codes[code] = self._tally.codes.get(code, 0) + 1
            self.transport.write(b"\x88\x82\0\0\0\0" + data[begin : begin + 2])
        elif self.ready.done():
            self._tally.messages += 1
            self._tally.last_at = time.monotonic()
            if self._tally.arrivals is not None:
                self._tally.arrivals.append(self._tally.last_at)
        else:
            assert data[begin:end] == b'{"type":"connection_ack"}', data[begin:end]
            self._send({"id": "1", "type": "subscribe", "payload": {"query": _SUBSCRIPTION}})
            self.ready.set_result(None)

    def _send(self, message: object) -> None:
        payload = json.dumps(message).encode()
        # Masked with zeros: the server unmasks all the same.
        self.transport.write(b"\x81\xfe" + len(payload).to_bytes(2, "big") + b"\0\0\0\0" + payload)


async def main(port: int) -> None:
    loop = asyncio.get_running_loop()
    tally, clients = Tally(), list[Client]()
    turn = asyncio.Semaphore(_CONNECTS_AT_A_TIME)

    async def open_one(number: int) -> None:
        async with turn:
            _, client = await loop.create_connection(lambda: Client(number, tally), "127.0.0.1", port)
            await client.ready
        clients.append(client)

    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        command, *numbers = line.decode().split()
        answer: object = "done"
        if command == "open":
            began, first = time.monotonic(), len(clients)
            await asyncio.gather(*(open_one(first + number + 1) for number in range(int(numbers[0]))))
            gc.collect()
            gc.freeze()
            answer = time.monotonic() - began
        elif command == "begin":
            tally.messages, tally.arrivals = 0, []
        elif command == "end":
            # The instants of each arrival, in order of arrival.
            answer = {"messages": tally.messages, "last_at": tally.last_at, "arrivals": tally.arrivals, "codes": tally.codes}
        elif command == "stall":
            clients[0].transport.pause_reading()
        elif command == "count":
            answer = tally.messages
        elif command == "vanish":
            # As if the machine were gone: nothing is said to anybody.
            os._exit(0)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    uvloop.run(main(int(sys.argv[1])))
