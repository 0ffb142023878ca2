from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from bench.feed.load_process import Wish, run

_REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@asynccontextmanager
async def _server(parts: Callable[[int], Sequence[bytes]]) -> AsyncIterator[int]:
    """Answers the n-th request in the given pieces; where there are none it closes the connection. Yields its port."""
    count = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        while True:
            try:
                await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            count += 1
            pieces = parts(count)
            if not pieces:
                break
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.001)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def _wish(port: int, *, requests: int = 1, connections: int = 1, seconds: float = 0.0, rate: float = 0.0) -> Wish:
    return Wish(
        port=port,
        requests=[_REQUEST] * requests,
        connections=connections,
        seconds=seconds,
        rate=rate,
        once=not seconds,
        seed=1,
    )


async def test_answers_in_any_pieces_are_found_whole() -> None:
    answers: list[list[bytes]] = [
        [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"],
        [b"HTTP/1.1 200 OK\r\ncontent-le", b"ngth: 5\r\n", b"\r\nhe", b"llo"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", b"lo\r\n", b"0\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
    ]
    async with _server(lambda number: answers[number - 1]) as port:
        found = await run(_wish(port, requests=len(answers)))
    assert len(found["latencies"]) == 8 * len(answers)
    assert found["failures"] == 0
    assert found["body_bytes"] >= 15


async def test_refusals_and_errors_are_no_pages() -> None:
    body = b'{"errors":[]}'
    answers = [
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body),
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    ]
    async with _server(lambda number: [answers[number - 1]]) as port:
        found = await run(_wish(port, requests=3))
    assert found["failures"] == 2
    assert found["first_failure"].startswith(b"HTTP/1.1 503")


async def test_a_rate_is_kept_by_few_connections() -> None:
    async with _server(lambda _number: [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"]) as port:
        found = await run(_wish(port, connections=2, seconds=0.3, rate=100.0))
    assert 5 <= len(found["latencies"]) // 8 <= 80


async def test_a_lost_connection_is_an_error() -> None:
    async with _server(lambda _number: []) as port:
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(run(_wish(port)), 5)
