"""graphql-transport-ws as clients speak it, well and badly."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from websockets.exceptions import InvalidStatus

from app import metrics, socket_connection, socket_protocol
from app.live_sockets import MAX_SOCKETS_PER_USER
from app.message_rate import BURST_MESSAGES
from bootstrap import open_backends
from settings import Settings
from tests.app.web.running_server import RunningServer, SocketClient, codes, run_web, token_for
from tests.world import World

VIEWER = "{ viewer { username } }"
NEW_POSTS = "subscription { newPosts { cursor edge { node { text } } } }"
CREATE = "mutation ($text: String!) { createPost(input: {text: $text}) { post { text } userErrors { code } } }"


def open_subscriptions() -> float:
    return sum(sample.value for metric in metrics.LIVE_SUBSCRIBERS.collect() for sample in metric.samples)


async def eventually_no_subscriptions() -> None:
    async with asyncio.timeout(10):
        while open_subscriptions() != 0:
            await asyncio.sleep(0.02)


async def subscribe_until_live(client: SocketClient, operation_id: str = "live") -> None:
    """Returns when the subscription waits for events."""
    before = open_subscriptions()
    await client.subscribe(operation_id, NEW_POSTS)
    async with asyncio.timeout(10):
        while open_subscriptions() == before:
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)


async def deliver(settings: Settings) -> None:
    """What workers do."""
    async with open_backends(settings) as backends:
        await World(backends).drain()


async def test_queries_and_mutations_are_answered_and_completed(web: RunningServer) -> None:
    async with web.session(token_for("ada")) as client:
        await client.subscribe("1", VIEWER)
        assert await client.receive() == {"type": "next", "id": "1", "payload": {"data": {"viewer": {"username": "ada"}}}}
        assert await client.receive() == {"type": "complete", "id": "1"}
        # An id is free again after its end.
        await client.subscribe("1", CREATE, text="over a socket")
        created = await client.receive()
        assert created["payload"]["data"]["createPost"] == {"post": {"text": "over a socket"}, "userErrors": []}
        assert await client.receive() == {"type": "complete", "id": "1"}


async def test_nobody_is_signed_in_without_a_token(web: RunningServer) -> None:
    async with web.session() as client:
        await client.subscribe("1", VIEWER)
        assert (await client.receive())["payload"] == {"data": {"viewer": None}}
        assert (await client.receive())["type"] == "complete"
        await client.subscribe("2", NEW_POSTS)
        refused = await client.receive()
        assert (refused["type"], refused["id"]) == ("error", "2")
        assert [failure["extensions"]["code"] for failure in refused["payload"]] == ["UNAUTHENTICATED"]


async def test_subscription_gets_a_post_and_ends_when_it_is_completed(web: RunningServer) -> None:
    token = token_for("writer")
    async with web.session(token) as client:
        await subscribe_until_live(client)
        await web.data(CREATE, token, text="live")
        await deliver(web.settings)
        event = await client.receive()
        assert event["id"] == "live"
        assert event["payload"]["data"]["newPosts"]["edge"]["node"]["text"] == "live"
        await client.send({"type": "complete", "id": "live"})
        await eventually_no_subscriptions()
        await client.send({"type": "ping"})
        assert await client.receive() == {"type": "pong"}


async def test_a_client_that_vanishes_leaves_nothing_behind(web: RunningServer) -> None:
    async with web.session(token_for("vanishing")) as client:
        await subscribe_until_live(client)
        client.raw.transport.abort()
    await eventually_no_subscriptions()


async def test_faults_in_a_document_concern_that_operation_alone(web: RunningServer) -> None:
    async with web.session(token_for("ada")) as client:
        for query, code in (("{", "GRAPHQL_PARSE_FAILED"), ("{ nope }", "GRAPHQL_VALIDATION_FAILED")):
            await client.subscribe("bad", query)
            answer = await client.receive()
            assert (answer["type"], answer["id"]) == ("error", "bad")
            assert [failure["extensions"]["code"] for failure in answer["payload"]] == [code]
        await client.subscribe("bad", "query A { viewer { id } } query B { viewer { id } }")
        assert (await client.receive())["payload"][0]["extensions"]["code"] == "BAD_REQUEST"
        await client.subscribe("cursor", 'subscription { newPosts(after: "junk") { cursor } }')
        answer = await client.receive()
        assert (answer["type"], answer["payload"][0]["extensions"]["code"]) == ("error", "INVALID_CURSOR")
        await client.subscribe("good", VIEWER)
        assert (await client.receive())["type"] == "next"


async def test_ping_is_answered_before_and_after_init(web: RunningServer) -> None:
    async with web.socket() as client:
        await client.send({"type": "ping", "payload": {"n": 1}})
        assert await client.receive() == {"type": "pong", "payload": {"n": 1}}
        await client.send({"type": "pong"})
        await client.initialise()


async def test_completing_what_nobody_knows_is_ignored(web: RunningServer) -> None:
    async with web.session() as client:
        await client.send({"type": "complete", "id": "never"})
        await client.send({"type": "ping"})
        assert await client.receive() == {"type": "pong"}


SUBSCRIBE = {"type": "subscribe", "id": "1"}


@pytest.mark.parametrize(
    "message",
    [
        "[]",
        "1",
        '"x"',
        "null",
        "",
        "{",
        b"{}",
        "{}",
        '{"type": 5}',
        '{"type": "start", "id": "1"}',
        '{"type": "connection_ack"}',
        '{"type": "ping", "payload": []}',
        '{"type": "ping", "type": "pong"}',
        '{"type": "ping", "payload": {"n": NaN}}',
        '{"type": "complete"}',
        '{"type": "complete", "id": 1}',
        json.dumps(SUBSCRIBE),
        json.dumps(SUBSCRIBE | {"payload": None}),
        json.dumps(SUBSCRIBE | {"payload": "{}"}),
        json.dumps(SUBSCRIBE | {"payload": {"query": 5}}),
        json.dumps(SUBSCRIBE | {"payload": {"query": VIEWER, "variables": "x"}}),
        json.dumps(SUBSCRIBE | {"payload": {"query": VIEWER, "operationName": []}}),
        json.dumps(SUBSCRIBE | {"payload": {"query": VIEWER, "extensions": 1}}),
        json.dumps(SUBSCRIBE | {"id": "", "payload": {"query": VIEWER}}),
        json.dumps(SUBSCRIBE | {"id": ["1"], "payload": {"query": VIEWER}}),
        json.dumps(SUBSCRIBE | {"id": "i" * 4_000, "payload": {"query": VIEWER}}),
        json.dumps({"type": "subscribe", "payload": {"query": VIEWER}}),
        '{"type": "ping", "payload": ' + '{"a":' * 10_000 + "1" + "}" * 10_001,
        "[" * 60_000,
    ],
)
async def test_malformed_messages_close_with_4400(web: RunningServer, message: str | bytes) -> None:
    async with web.session() as client:
        await client.send(message)
        code, reason = await client.wait_closed()
        assert code == 4400
        assert reason
        assert "Traceback" not in reason


async def test_message_over_64_kilobytes_is_refused(web: RunningServer) -> None:
    async with web.session() as client:
        await client.send(" " * 70_000)
        assert (await client.wait_closed())[0] == 1009


async def test_endless_message_in_fragments_is_refused(web: RunningServer) -> None:
    async def fragments() -> AsyncIterator[str]:
        for _ in range(100):
            yield " " * 1_000

    async with web.session() as client:
        await client.raw.send(fragments())
        assert (await client.wait_closed())[0] == 1009


async def test_compression_is_not_offered(web: RunningServer) -> None:
    async with web.socket() as client:
        response = client.raw.response
        assert response is not None
        assert "sec-websocket-extensions" not in response.headers


async def test_order_of_the_first_messages(web: RunningServer) -> None:
    async with web.socket() as client:
        await client.subscribe("1", VIEWER)
        assert (await client.wait_closed())[0] == 4401
    async with web.session() as client:
        await client.send({"type": "connection_init"})
        assert (await client.wait_closed())[0] == 4429
    async with web.session(token_for("ada")) as client:
        await subscribe_until_live(client, "same")
        await client.subscribe("same", VIEWER)
        assert (await client.wait_closed())[0] == 4409


async def test_init_must_come_in_time(web: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_connection, "INIT_SECONDS", 0.2)
    async with web.socket() as client:
        assert (await client.wait_closed())[0] == 4408
    async with web.session() as client:
        await asyncio.sleep(0.4)
        await client.send({"type": "ping"})
        assert await client.receive() == {"type": "pong"}


@pytest.mark.parametrize("protocol", ["graphql-ws", None])
async def test_other_subprotocols_close_with_4406(web: RunningServer, protocol: str | None) -> None:
    if protocol is None:
        async with web.socket(protocol=None) as client:
            assert (await client.wait_closed())[0] == 4406
        return
    # The client library refuses a handshake that chooses no subprotocol only if the server chooses another one.
    async with web.socket(protocol=protocol) as client:
        assert client.raw.subprotocol is None
        assert (await client.wait_closed())[0] == 4406


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://front.example.evil.example", "http://[", ""])
async def test_foreign_origins_get_403(web: RunningServer, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with web.socket(additional_headers={"Origin": origin}):
            pass
    assert refused.value.response.status_code == 403


async def test_own_and_allowed_origins_are_welcome(web: RunningServer) -> None:
    for origin in ("https://front.example", f"http://127.0.0.1:{web.port}"):
        async with web.socket(additional_headers={"Origin": origin}) as client:
            await client.initialise()


@pytest.mark.parametrize(
    "payload",
    [
        {"Authorization": "Bearer junk"},
        {"Authorization": "Basic eDp5"},
        {"Authorization": 5},
        {"Authorization": "Bearer a.b.c", "authorization": "Bearer a.b.c"},
    ],
)
async def test_bad_token_closes_with_4403(web: RunningServer, payload: dict[str, Any]) -> None:
    async with web.socket() as client:
        await client.send({"type": "connection_init", "payload": payload})
        assert (await client.wait_closed())[0] == 4403


async def test_socket_ends_when_its_token_does(web: RunningServer) -> None:
    started = time.time()
    async with web.session(token_for("short", seconds=2)) as client:
        await client.subscribe("1", NEW_POSTS)
        assert await client.wait_closed() == (4403, "the token has expired")
    assert time.time() - started < 7
    await eventually_no_subscriptions()


async def test_suspended_account_is_out_at_the_next_operation(web: RunningServer) -> None:
    token = token_for("to_be_suspended")
    async with web.session(token) as client:
        await client.subscribe("1", VIEWER)
        assert (await client.receive())["type"] == "next"
        assert (await client.receive())["type"] == "complete"
        await suspend(web.settings, "to_be_suspended")
        await client.subscribe("2", VIEWER)
        assert (await client.wait_closed())[0] == 4403
    async with web.socket() as client:
        await client.send({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}})
        assert (await client.wait_closed())[0] == 4403
    answer = await web.post({"query": VIEWER}, token=token)
    assert (answer.status_code, codes(answer.json())) == (401, ["UNAUTHENTICATED"])


async def suspend(settings: Settings, username: str) -> None:
    connection = await asyncpg.connect(settings.database_url.get_secret_value(), timeout=10)
    try:
        changed = await connection.execute("UPDATE users SET suspended_at = now() WHERE username = $1", username)
        assert changed == "UPDATE 1"
    finally:
        await connection.close(timeout=10)


async def test_subscription_too_many_gets_an_error_and_the_others_go_on(web: RunningServer) -> None:
    async with web.session(token_for("greedy")) as client:
        for number in range(socket_connection.MAX_SUBSCRIPTIONS):
            await client.subscribe(str(number), NEW_POSTS)
        await client.subscribe("one too many", NEW_POSTS)
        refused = await client.receive()
        assert (refused["type"], refused["id"]) == ("error", "one too many")
        assert refused["payload"][0]["extensions"]["code"] == "SUBSCRIPTION_LIMIT"
        await client.send({"type": "complete", "id": "0"})
        await client.subscribe("instead", NEW_POSTS)
        await client.subscribe("query", VIEWER)
        assert (await client.receive())["id"] == "query"
    await eventually_no_subscriptions()


async def test_socket_too_many_of_one_account_is_told_to_come_back(web: RunningServer) -> None:
    token = token_for("many_tabs")
    sockets = [web.socket() for _ in range(MAX_SOCKETS_PER_USER)]
    clients = [await socket.__aenter__() for socket in sockets]
    try:
        for client in clients:
            await client.initialise(token)
        async with web.socket() as client:
            await client.send({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}})
            assert (await client.wait_closed())[0] == 1013
    finally:
        for socket in sockets:
            await socket.__aexit__(None, None, None)
    async with asyncio.timeout(10):
        while True:
            async with web.socket() as client:
                await client.send({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}})
                try:
                    assert await client.receive() == {"type": "connection_ack"}
                    break
                except Exception:
                    await asyncio.sleep(0.05)


async def test_flood_of_messages_closes_with_1013(web: RunningServer) -> None:
    async with web.session() as client:
        for _ in range(int(BURST_MESSAGES) + 500):
            await client.send('{"type":"pong"}')
        assert (await client.wait_closed())[0] == 1013


async def test_without_limits_nothing_of_this_counts(web_settings: Settings) -> None:
    async with run_web(web_settings.model_copy(update={"limits": "off"})) as web, web.session(token_for("bench")) as client:
        for number in range(socket_connection.MAX_SUBSCRIPTIONS + 5):
            await client.subscribe(str(number), NEW_POSTS)
        await client.subscribe("query", VIEWER)
        assert (await client.receive())["id"] == "query"


async def test_client_that_does_not_read_is_closed_with_4008(web: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_protocol, "SEND_SECONDS", 0.3)
    async with web.session(token_for("slow")) as client:
        await subscribe_until_live(client)

        async def ask_for_more_than_buffers_hold() -> None:
            for _ in range(int(BURST_MESSAGES) - 10):
                await client.send({"type": "ping", "payload": {"echo": "x" * 60_000}})

        asking = asyncio.create_task(ask_for_more_than_buffers_hold())
        client.raw.transport.pause_reading()
        await eventually_no_subscriptions()
        client.raw.transport.resume_reading()
        assert (await client.wait_closed())[0] == 4008
        asking.cancel()
        await asyncio.wait((asking,))
        asking.cancelled() or asking.exception()
