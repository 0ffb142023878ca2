"""The thinnest Redis client: one socket, commands written as they come, replies handed out in their order (RESP, hiredis).

No deadlines, no reconnects: what it costs is what any client must cost at least.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import hiredis


class MultiplexedRedis(asyncio.Protocol):
    """Made by `connect`."""

    def __init__(self) -> None:
        self._reader = hiredis.Reader()
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._out: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def connect(cls, url: str) -> MultiplexedRedis:
        """`url`: redis://:password@host:port/0."""
        address = urlsplit(url)
        assert address.hostname is not None, "an address of a server"
        _, found = await asyncio.get_running_loop().create_connection(cls, address.hostname, address.port or 6379)
        if address.password:
            await found.call("AUTH", unquote(address.password))
        return found

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_exception(exc or ConnectionError("closed"))

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while (reply := self._reader.gets()) is not False:
            future = self._waiting.popleft()
            if isinstance(reply, hiredis.ReplyError):
                future.set_exception(reply)
            else:
                future.set_result(reply)

    def call(self, *command: str | bytes | int) -> asyncio.Future[Any]:
        """The reply. All that is asked within one turn of the loop leaves in one write."""
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(hiredis.pack_command(cast("Any", command)))
        future = self._loop.create_future()
        self._waiting.append(future)
        return future

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _flush(self) -> None:
        assert self._transport is not None
        self._transport.write(b"".join(self._out))
        self._out.clear()
