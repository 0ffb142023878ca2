"""Tests of several requests on one connection, whose usual answers are written past the server's own way of sending."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from tests.app.web.running_server import RunningServer, token_for

QUERY = "{ viewer { username } }"


def request(body: bytes, *headers: str, token: str | None = None) -> bytes:
    lines = ["POST /graphql HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *headers]
    if not any(line.lower().startswith("content-type") for line in headers):
        lines.append("Content-Type: application/json")
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """Status, headers, body. An interim answer is an answer without a body."""
    async with asyncio.timeout(10):
        status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return int(status.split()[1]), headers, await reader.readexactly(int(headers.get("content-length", 0)))


async def test_requests_that_come_together_are_answered_in_their_order_and_to_whom_they_belong(web: RunningServer) -> None:
    body = orjson.dumps({"query": QUERY})
    names = ["kept_ada", "kept_bob", None, "kept_ada"]
    for account in ("kept_ada", "kept_bob"):
        await web.data(QUERY, token_for(account))
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    for _ in range(3):
        # The same bytes but for the token: what they ask for is remembered, who asks is not.
        writer.write(b"".join(request(body, token=token_for(name) if name else None) for name in names))
        for name in names:
            status, headers, answer = await read_answer(reader)
            assert status == 200
            assert headers["cache-control"] == "no-store"
            assert "date" in headers
            assert orjson.loads(answer) == {"data": {"viewer": {"username": name} if name else None}}
    writer.write(request(body, "Connection: close"))
    status, headers, answer = await read_answer(reader)
    assert (status, headers["connection"], orjson.loads(answer)) == (200, "close", {"data": {"viewer": None}})
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()


async def test_a_client_that_waits_to_be_asked_for_the_body(web: RunningServer) -> None:
    body = orjson.dumps({"query": QUERY})
    head = request(body, "Expect: 100-continue")[: -len(body)]
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    for _ in range(2):
        writer.write(head)
        assert (await read_answer(reader))[0] == 100
        for part in (body[:5], body[5:]):
            await asyncio.sleep(0.05)
            writer.write(part)
        status, _, answer = await read_answer(reader)
        assert (status, orjson.loads(answer)) == (200, {"data": {"viewer": None}})
    writer.close()


@pytest.mark.parametrize("second", ["text/plain", "application/json", "application/json; charset=latin-1"])
async def test_a_type_that_is_said_twice_is_none(web: RunningServer, second: str) -> None:
    body = orjson.dumps({"query": QUERY})
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    writer.write(request(body, "Content-Type: application/json; x=1", f"Content-Type: {second}"))
    assert (await read_answer(reader))[0] == 415
    writer.close()


async def test_who_hangs_up_before_the_answer_harms_nobody(web: RunningServer) -> None:
    body = orjson.dumps({"query": QUERY})
    for _ in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", web.port)
        writer.write(request(body, token=token_for("kept_ada")) * 2)
        await writer.drain()
        writer.transport.abort()
    assert await web.data(QUERY, token_for("kept_bob")) == {"viewer": {"username": "kept_bob"}}
