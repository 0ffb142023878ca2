"""Tests of requests whose work stands still: refused in time on their own connection, which goes on."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import orjson
import pytest

from app.deadline import ANSWER_SECONDS
from app.web_state import WebState
from tests.app.test_deadline import Stubborn
from tests.app.web.running_server import RunningServer, codes
from tests.app.web.test_kept_connections import QUERY, read_answer, request

BODY = orjson.dumps({"query": QUERY})
STANDS_STILL = orjson.dumps({"query": "{ __typename viewer { username } }"})


@pytest.fixture
def stubborn(monkeypatch: pytest.MonkeyPatch) -> Stubborn:
    """Whatever asks for `__typename` stands still, and takes its time to be cancelled."""
    found = Stubborn(cleanup_seconds=0.6)
    begin = WebState.begin

    async def perhaps_still(self: WebState, operation: Any, *arguments: Any) -> Any:
        if "__typename" in operation.document.ast.loc.source.body:
            return await found.work()
        return await begin(self, operation, *arguments)

    monkeypatch.setattr(WebState, "begin", perhaps_still)
    return found


async def test_what_is_late_is_refused_and_the_connection_goes_on(
    web: RunningServer, stubborn: Stubborn, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    began = time.monotonic()
    # The second one waits behind the first, on the same connection.
    writer.write(request(STANDS_STILL) + request(BODY))
    status, headers, answer = await read_answer(reader)
    assert (status, codes(orjson.loads(answer))) == (503, ["UNAVAILABLE"])
    assert headers["content-type"].startswith("application/json")
    assert ANSWER_SECONDS - 0.1 <= time.monotonic() - began < 2.0
    status, _, answer = await read_answer(reader)
    assert (status, orjson.loads(answer)) == (200, {"data": {"viewer": None}})
    assert time.monotonic() - began < 2.1, "nobody waits until what was cancelled has come to its end"
    await asyncio.sleep(0.8)
    assert stubborn.has_ended.is_set()
    writer.write(request(BODY))
    assert (await read_answer(reader))[0] == 200
    writer.close()
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")], "the server has nothing to say"


async def test_late_answers_are_counted_once(web: RunningServer, stubborn: Stubborn) -> None:
    before = await _unavailable(web)
    assert (await web.post(STANDS_STILL)).status_code == 503
    await asyncio.sleep(0.8)
    assert await _unavailable(web) == before + 1


async def test_a_client_that_does_not_wait_for_the_refusal_harms_nobody(web: RunningServer, stubborn: Stubborn) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", web.port)
    writer.write(request(STANDS_STILL))
    await asyncio.sleep(0.2)
    writer.close()
    await asyncio.sleep(2.5)
    assert stubborn.has_ended.is_set()
    assert (await web.post(BODY)).status_code == 200


async def _unavailable(web: RunningServer) -> float:
    lines = (await web.http.get("/metrics")).text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if "requests_total" in line and 'outcome="unavailable"' in line)


async def test_a_refusal_on_a_connection_that_ends_with_it(web: RunningServer, stubborn: Stubborn) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    writer.write(request(STANDS_STILL, "Connection: close"))
    status, headers, answer = await read_answer(reader)
    assert (status, headers["connection"], codes(orjson.loads(answer))) == (503, "close", ["UNAVAILABLE"])
    async with asyncio.timeout(10):
        assert await reader.read() == b"", "one answer, and nothing behind it"
        await stubborn.has_ended.wait()
    writer.close()
    assert (await web.post(BODY)).status_code == 200
