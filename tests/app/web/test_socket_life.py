"""What a socket does over its life beside messages: room, pings, turns, ends. Subscriptions are the test's own."""

from __future__ import annotations

import asyncio
import os
import socket as sockets
import time
from contextlib import AsyncExitStack
from typing import Any

import pytest

from app import metrics, socket_connection, socket_protocol
from app.live_sockets import LiveSockets
from app.socket_messages import CloseCode
from app.socket_protocol import SocketProtocol
from app.web_state import WebState
from domain.records import UserRecord
from resolvers.context import OperationContext
from schema.execution import Operation
from schema.live import LiveSink, LiveSubscription
from settings import Settings
from tests.app.web.running_server import WAIT_SECONDS, RunningServer, SocketClient, run_web, token_for

NEW_POSTS = "subscription { newPosts { cursor } }"
EVENT = b'{"data":{"newPosts":{"cursor":"here"}}}'


class Watched:
    """A subscription of which the test has both ends."""

    def __init__(self, sink: LiveSink) -> None:
        self.sink = sink
        self.has_room_again = asyncio.Event()
        self.is_closed = False

    def go_on(self) -> None:
        self.has_room_again.set()

    def say_goodbye(self) -> None:
        self.sink.put(b'{"data":"goodbye"}', "here")

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[Watched]:
    """All subscriptions that begin during the test."""
    begun: list[Watched] = []

    async def watch(_state: WebState, _op: Operation, _context: OperationContext, sink: LiveSink) -> LiveSubscription:
        begun.append(Watched(sink))
        return begun[-1]

    monkeypatch.setattr(WebState, "watch", watch)
    return begun


@pytest.fixture
def protocols(monkeypatch: pytest.MonkeyPatch) -> list[SocketProtocol]:
    """All sockets that are opened during the test."""
    made: list[SocketProtocol] = []
    connection_made = SocketProtocol.connection_made

    def remember(protocol: SocketProtocol, transport: asyncio.BaseTransport) -> None:
        made.append(protocol)
        connection_made(protocol, transport)

    monkeypatch.setattr(SocketProtocol, "connection_made", remember)
    return made


async def until(condition: Any) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)


async def begin(client: SocketClient, watched: list[Watched], operation_id: str = "1") -> Watched:
    before = len(watched)
    await client.subscribe(operation_id, NEW_POSTS)
    await until(lambda: len(watched) > before)
    return watched[-1]


async def test_answers_go_out_as_they_were_put(web: RunningServer, watched: list[Watched]) -> None:
    async with web.session(token_for("ada")) as client:
        first = await begin(client, watched, 'a "quoted" id')
        second = await begin(client, watched, "2")
        for sink in (first.sink, second.sink, first.sink):
            sink.put(EVENT, None)
        received = [await client.receive() for _ in range(3)]
        assert [message["id"] for message in received] == ['a "quoted" id', "2", 'a "quoted" id']
        assert received[0] == {"type": "next", "id": 'a "quoted" id', "payload": {"data": {"newPosts": {"cursor": "here"}}}}
        await client.send({"type": "complete", "id": "2"})
        await until(lambda: second.is_closed)
        second.sink.put(EVENT, None)
        second.sink.complete()
        first.sink.fail([{"message": "no more"}])
        first.sink.put(EVENT, None)
        assert first.is_closed
        assert await client.receive() == {"type": "error", "id": 'a "quoted" id', "payload": [{"message": "no more"}]}
        third = await begin(client, watched, "2")
        third.sink.complete()
        assert await client.receive() == {"type": "complete", "id": "2"}


async def test_messages_of_one_tick_leave_in_one_write(
    web: RunningServer, watched: list[Watched], protocols: list[SocketProtocol], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with web.session(token_for("ada")) as client:
        subscription = await begin(client, watched)
        flushes = []
        monkeypatch.setattr(type(protocols[0].output), "flush", lambda output: flushes.append(list(output._parts)))
        for _ in range(10):
            subscription.sink.put(EVENT, None)
        await until(lambda: flushes)
        assert len(flushes) == 1
        assert b"".join(flushes[0]).count(EVENT) == 10
        monkeypatch.undo()
        protocols[0].output.flush()
        assert len([await client.receive() for _ in range(10)]) == 10


async def test_nothing_is_kept_for_a_client_that_does_not_read_beyond_a_bound(
    web: RunningServer, watched: list[Watched], protocols: list[SocketProtocol]
) -> None:
    async with web.session(token_for("slow")) as client:
        subscription = await begin(client, watched)
        client.raw.transport.pause_reading()
        event = b'{"data":"' + b"x" * 1_000 + b'"}'
        put = 0
        # The client's own buffers take some; then there is no room for a second.
        refused_since = time.monotonic()
        async with asyncio.timeout(30):
            while time.monotonic() - refused_since < 1:
                if subscription.sink.has_room:
                    subscription.sink.put(event, None)
                    put += 1
                    refused_since = time.monotonic()
                if put % 10 == 0:
                    await asyncio.sleep(0)
        transport = protocols[0]._transport
        kernel = transport.get_extra_info("socket").getsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF)
        assert transport.get_write_buffer_size() + kernel <= 512 * 1_024
        assert not subscription.has_room_again.is_set()
        client.raw.transport.resume_reading()
        received = [await client.receive() for _ in range(put)]
        assert all(message["type"] == "next" for message in received)
        await asyncio.wait_for(subscription.has_room_again.wait(), WAIT_SECONDS)
        assert subscription.sink.has_room


async def test_a_client_that_answers_no_ping_is_closed(
    web: RunningServer, watched: list[Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_protocol, "PING_SECONDS", 0.5)
    async with web.session(token_for("ada")) as client:
        # The library answers pings.
        await asyncio.sleep(2)
        await client.send({"type": "ping"})
        assert await client.receive() == {"type": "pong"}
        subscription = await begin(client, watched)
        client.raw.transport.pause_reading()
        await until(lambda: subscription.is_closed)
        client.raw.transport.resume_reading()
        assert (await client.wait_closed())[0] == 1011


async def test_all_sockets_of_an_account_can_be_closed(
    web: RunningServer, watched: list[Watched], protocols: list[SocketProtocol]
) -> None:
    async with (
        web.session(token_for("bad")) as one,
        web.session(token_for("bad")) as two,
        web.session(token_for("good")) as good,
    ):
        subscription = await begin(one, watched)
        user_id = (await web.data("{ viewer { id } }", token_for("bad")))["viewer"]["id"]
        assert user_id
        state: WebState = protocols[0]._state
        (bad_id,) = [number for number, open_ in state.sockets._open.items() if len(open_) == 2]
        assert state.sockets.close_user(bad_id, CloseCode.FORBIDDEN, "the account is suspended") == 2
        assert subscription.is_closed
        for client in (one, two):
            assert await client.wait_closed() == (4403, "the account is suspended")
        await good.send({"type": "ping"})
        assert await good.receive() == {"type": "pong"}
        assert state.sockets.close_user(bad_id, CloseCode.FORBIDDEN, "again") == 0


async def test_a_restart_says_goodbye_and_closes_with_1012(web_settings: Settings, watched: list[Watched]) -> None:
    clients = AsyncExitStack()
    async with clients:
        async with run_web(web_settings) as web:
            client = await clients.enter_async_context(web.session(token_for("ada")))
            other = await clients.enter_async_context(web.socket())
            await begin(client, watched)
            ends = asyncio.gather(client.receive(), other.wait_closed())
        goodbye, closed = await ends
        assert goodbye["payload"] == {"data": "goodbye"}
        assert closed[0] == (await client.wait_closed())[0] == 1012
        assert watched[0].is_closed


async def test_many_that_vanish_leave_nothing(
    web: RunningServer, watched: list[Watched], protocols: list[SocketProtocol]
) -> None:
    tasks = len(asyncio.all_tasks())
    clients = []
    for number in range(30):
        socket = web.socket()
        client = await socket.__aenter__()
        clients.append(client)
        await client.initialise(token_for(f"vanishing_{number % 10}"))
        await begin(client, watched)
    sockets_: LiveSockets = protocols[0]._state.sockets
    for client in clients:
        client.raw.transport.abort()
    await until(lambda: all(subscription.is_closed for subscription in watched))
    assert not sockets_._open
    assert not any(sockets_.wheel._boxes.values())
    assert all(protocol._connection is None for protocol in protocols)
    assert sum(sample.value for metric in metrics.LIVE_SUBSCRIBERS.collect() for sample in metric.samples) == 0
    await until(lambda: len(asyncio.all_tasks()) <= tasks)


async def test_waiting_for_a_turn_is_not_the_clients_fault_but_has_an_end(
    web: RunningServer, protocols: list[SocketProtocol], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_connection, "INIT_SECONDS", 0.2)
    hindered, allowed = asyncio.Event(), asyncio.Event()
    load_viewer = WebState.load_viewer

    async def load_late(state: WebState, claims: Any) -> UserRecord | None:
        hindered.set()
        await allowed.wait()
        return await load_viewer(state, claims)

    monkeypatch.setattr(WebState, "load_viewer", load_late)
    async with web.socket() as first, web.socket() as second:
        gate = protocols[0]._state.sockets.admission
        monkeypatch.setattr(gate, "_free", 1)
        init = {"type": "connection_init", "payload": {"Authorization": f"Bearer {token_for('ada')}"}}
        await first.send(init)
        await asyncio.wait_for(hindered.wait(), WAIT_SECONDS)
        await second.send(init)
        await until(lambda: gate.waiting == 1)
        await asyncio.sleep(0.6)
        async with web.socket() as third:
            monkeypatch.setattr(socket_connection, "WAIT_SECONDS", 0.1)
            await third.send(init)
            assert (await third.wait_closed())[0] == 1013
        assert gate.waiting == 1
        allowed.set()
        for client in (first, second):
            assert await client.receive() == {"type": "connection_ack"}


async def test_a_turn_is_given_back_by_whoever_vanishes_with_it(
    web: RunningServer, watched: list[Watched], protocols: list[SocketProtocol]
) -> None:
    token = token_for("ada")
    async with web.session(token):
        pass
    gate = protocols[0]._state.sockets.admission
    free = gate._free
    for _ in range(20):
        async with web.socket() as client:
            await client.send({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}})
            await asyncio.sleep(0.003 * os.urandom(1)[0] / 256)
            client.raw.transport.abort()
    await until(lambda: gate._free == free)
    assert gate.waiting == 0
