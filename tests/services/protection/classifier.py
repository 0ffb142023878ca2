"""A classifier that answers, or fails, as a test wants it to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Classifier:
    """`asked`: the questions so far. `answer`: what it sends, as it is, after `delay_seconds`."""

    answer: bytes = b'{"allow": true}'
    status: int = 200
    delay_seconds: float = 0.0
    port: int = 0
    asked: list[Any] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/classify"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
                )
                self.asked.append(json.loads(await reader.readexactly(length)))
                await asyncio.sleep(self.delay_seconds)
                writer.write(b"HTTP/1.1 %d Answer\r\nContent-Length: %d\r\n\r\n" % (self.status, len(self.answer)))
                writer.write(self.answer)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def run_classifier() -> AsyncIterator[Classifier]:
    """One on a free port, until the block ends."""
    classifier = Classifier()
    server = await asyncio.start_server(classifier.serve, "127.0.0.1", 0)
    classifier.port = server.sockets[0].getsockname()[1]
    try:
        yield classifier
    finally:
        server.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), 0.2)
