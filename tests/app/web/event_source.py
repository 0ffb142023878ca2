"""A client of event streams, as near to the bytes as tests need it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.app.web.running_server import WAIT_SECONDS

STREAM = "text/event-stream"


@dataclass(frozen=True)
class Event:
    """What a browser would make of it."""

    name: str
    data: Any
    id: str | None


@dataclass(frozen=True)
class EventSource:
    """An answer whose head has come."""

    status: int
    headers: dict[str, str]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def event(self) -> Event | None:
        """The next one; None where the answer has ended."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(WAIT_SECONDS):
            while (line := await self._line()) is not None:
                if line and not line.startswith(":"):
                    name, _, value = line.partition(":")
                    fields[name] = value.removeprefix(" ")
                elif not line and "data" in fields:
                    data = json.loads(fields["data"]) if fields["data"] else None
                    return Event(fields.get("event", "message"), data, fields.get("id"))
        return None

    async def data(self) -> Any:
        """The data of the next event, which is an answer without errors."""
        event = await self.event()
        assert event is not None
        assert event.name == "next"
        assert "errors" not in event.data, event.data
        return event.data["data"]

    async def rest(self) -> list[Event]:
        """All events until the answer ends."""
        events = []
        while (event := await self.event()) is not None:
            events.append(event)
        return events

    async def comment(self) -> None:
        """Returns at the next comment."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not ((line := await self._line()) or "").startswith(":"):
                assert line is not None, "the answer has ended"

    async def body(self) -> Any:
        """Of an answer that is no stream."""
        return json.loads(await asyncio.wait_for(self.reader.readexactly(int(self.headers["content-length"])), WAIT_SECONDS))

    async def _line(self) -> str | None:
        """A line of the body, each of whose chunks is whole lines."""
        if "content-length" in self.headers:
            return self._text(await self.reader.readline()) if not self.reader.at_eof() else None
        while True:
            line = self._text(await self.reader.readline())
            if line is None or line == "0":
                return None
            if not _is_chunk_size(line):
                return line
            # The size of the next chunk; the end of the one before is an empty line, which no event minds.

    @staticmethod
    def _text(line: bytes) -> str | None:
        return line.decode().rstrip("\r\n") if line else None


def _is_chunk_size(line: str) -> bool:
    return bool(line) and all(character in "0123456789abcdef" for character in line)


@asynccontextmanager
async def open_source(
    port: int,
    query: str,
    *,
    token: str | None = None,
    accept: str = STREAM,
    last_event_id: str | None = None,
    **variables: object,
) -> AsyncIterator[EventSource]:
    """Posts the operation and reads the head of the answer; the connection ends abruptly with the block."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    lines = [
        "POST /graphql HTTP/1.1",
        "Host: x",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"Accept: {accept}",
    ]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if last_event_id is not None:
        lines.append(f"Last-Event-ID: {last_event_id}")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WAIT_SECONDS)
        status, *headers = head.decode().strip().split("\r\n")
        named = dict(header.lower().split(": ", 1) for header in headers)
        yield EventSource(int(status.split(" ")[1]), named, reader, writer)
    finally:
        writer.transport.abort()
