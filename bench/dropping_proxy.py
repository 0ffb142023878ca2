"""A way to a server on which things get lost: requests before they arrive, and replies after the request has done its work."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit


@dataclass(frozen=True, slots=True)
class Losses:
    """Shares, 0 to 1, of the messages of either side. `spared`: so many at the beginning of a connection come through."""

    requests: float = 0.0
    replies: float = 0.0
    spared: int = 0


class DroppingProxy:
    """Connections end where something is lost, without a word. A message is what was written in one go."""

    def __init__(self, url: str, losses: Losses, *, seed: int) -> None:
        self._target = urlsplit(url)
        self._losses = losses
        self._chance = random.Random(seed)
        self._port = 0
        self._open: set[asyncio.Task[None]] = set()
        self.lost_requests = 0
        self.lost_replies = 0

    @property
    def url(self) -> str:
        """The server's address with the proxy's host and port in it."""
        user, at, _ = self._target.netloc.rpartition("@")
        return urlunsplit(self._target._replace(netloc=f"{user}{at}127.0.0.1:{self._port}"))

    @property
    def port(self) -> int:
        return self._port

    @asynccontextmanager
    async def running(self) -> AsyncIterator[DroppingProxy]:
        """Listens on a free port for as long as the block lasts."""
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            tasks = list(self._open)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            far_reader, far_writer = await asyncio.open_connection(self._target.hostname, self._target.port)
            try:
                await self._pass_on(reader, writer, far_reader, far_writer)
            finally:
                far_writer.close()
        except (asyncio.CancelledError, OSError):
            pass
        finally:
            self._open.discard(task)
            writer.transport.abort()

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        far_reader: asyncio.StreamReader,
        far_writer: asyncio.StreamWriter,
    ) -> None:
        passed = 0

        async def requests() -> None:
            nonlocal passed
            while data := await reader.read(65_536):
                passed += 1
                if passed > self._losses.spared and self._chance.random() < self._losses.requests:
                    self.lost_requests += 1
                    return
                far_writer.write(data)
                await far_writer.drain()

        async def replies() -> None:
            while data := await far_reader.read(65_536):
                if passed > self._losses.spared and self._chance.random() < self._losses.replies:
                    self.lost_replies += 1
                    return
                writer.write(data)
                await writer.drain()

        ways = [asyncio.create_task(requests()), asyncio.create_task(replies())]
        try:
            # Whichever ends first ends the connection: a proxy that has lost something does not go on.
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
                with suppress(asyncio.CancelledError, OSError):
                    await way
