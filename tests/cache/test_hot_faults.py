"""The hot connection while its server hangs, ends, comes back, is full, or is somebody else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from app.stack.valkey import EmbeddedValkey
from cache import hot_socket
from cache.client import RedisClient
from domain.errors import CacheUnavailableError
from tests.cache.forwarding import forwarding
from tests.cache.hot_valkey import OpenClient, client, open_client, stopped, trust_again, valkey

__all__ = ["client", "open_client", "valkey"]

SLOW = "local done = os.clock() + 0.03 while os.clock() < done do end return ARGV[1]"
"""Takes 30 ms at least."""


async def until_answered(client: RedisClient) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                assert await client.call("PING") == b"PONG"
                return
            except CacheUnavailableError:
                await asyncio.sleep(0.02)


async def test_a_server_that_hangs_costs_one_deadline_and_comes_back(open_client: OpenClient, valkey: EmbeddedValkey) -> None:
    client = open_client(timeout_seconds=0.2)
    await client.call("PING")
    run_id = client.run_id
    with stopped(valkey):
        began = time.monotonic()
        results = await asyncio.gather(
            *(client.call("ECHO", number) for number in range(3_000)), client.call_many([("PING",)] * 5), return_exceptions=True
        )
        assert time.monotonic() - began < 2
        assert all(isinstance(result, CacheUnavailableError) for result in results)
        assert client.is_suspended
        with pytest.raises(CacheUnavailableError, match="a moment ago"):
            await client.call("PING")
        trust_again(client)
        # Connecting works on a server that hangs, greeting does not.
        with pytest.raises(CacheUnavailableError):
            await client.call("PING")
        assert client.is_suspended
    await until_answered(client)
    assert await client.call("ECHO", "own") == b"own"
    assert client.run_id == run_id


async def test_a_server_that_hangs_without_reading(open_client: OpenClient, valkey: EmbeddedValkey) -> None:
    client = open_client(timeout_seconds=0.2)
    await client.call("PING")
    with stopped(valkey):
        large = b"x" * 20_000_000
        results = await asyncio.gather(client.call("ECHO", large), client.call("ECHO", 1), return_exceptions=True)
        assert all(isinstance(result, CacheUnavailableError) for result in results)
    await until_answered(client)


async def test_a_server_that_hangs_is_found_out_though_nobody_waits_any_more(
    open_client: OpenClient, valkey: EmbeddedValkey
) -> None:
    client = open_client(timeout_seconds=0.1)
    await client.call("PING")
    with stopped(valkey):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await client.call("PING")
        verdicts = [client.is_suspended]
        await asyncio.sleep(0.2)
        verdicts.append(client.is_suspended)
        assert verdicts == [False, True]
    await until_answered(client)


async def test_a_loop_that_was_held_up_is_no_server_that_hangs(open_client: OpenClient) -> None:
    client = open_client(timeout_seconds=0.1)
    # More than what is read in one turn of the loop, less than what is read in two.
    answer = b"x" * 10_000
    await client.call("SET", "x", answer)
    asking = [asyncio.create_task(client.call("GET", "x")) for _ in range(40)]
    for _ in range(3):
        await asyncio.sleep(0)
    time.sleep(0.3)
    assert await asyncio.gather(*asking) == [answer] * 40
    assert not client.is_suspended


async def test_a_crowd_waits_in_order_and_not_for_ever(open_client: OpenClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hot_socket, "MOST_UNANSWERED", 1)
    client = open_client(timeout_seconds=1.0)
    script = client.hot_script(SLOW)
    await script(args=["known"])
    order: list[int] = []

    async def ask(number: int) -> None:
        assert await script(args=[number]) == b"%d" % number
        order.append(number)

    results = await asyncio.gather(*(ask(number) for number in range(60)), return_exceptions=True)
    refused = [result for result in results if result is not None]
    assert all("too many wait" in str(result) for result in refused)
    assert 1 <= len(refused) < 60, "not all of them can be asked within the deadline"
    # In order. Who asked an instant later may be answered although somebody before them was overdue when the loop looked.
    assert order == sorted(order)
    assert len(order) == 60 - len(refused)
    assert not client.is_suspended, "the server is well"


async def test_a_connection_that_is_killed(client: RedisClient, open_client: OpenClient) -> None:
    other = open_client()
    await client.call("PING")
    await other.redis.client_kill_filter(skipme=True)
    await asyncio.sleep(0.05)
    assert await client.call("PING") == b"PONG", "nobody was asking: nobody notices"
    await other.redis.client_pause(2_000, all=False)
    asking = [asyncio.create_task(command) for command in (client.call("SET", "x", 1), client.call_many([("PING",)] * 2))]
    await asyncio.sleep(0.02)
    await other.redis.client_kill_filter(skipme=True)
    results = await asyncio.gather(*asking, return_exceptions=True)
    await other.redis.client_unpause()
    assert all(isinstance(result, CacheUnavailableError) for result in results)
    assert client.is_suspended
    trust_again(client)
    assert await client.call("GET", "x") is None


async def test_a_server_that_ends_in_the_middle_of_an_answer(open_client: OpenClient, valkey: EmbeddedValkey) -> None:
    async with forwarding(valkey.url) as way:
        client = open_client(valkey.url.replace(valkey.url.rsplit(":", 1)[1], f"{way.port}/0"))
        await client.call("SET", "large", b"x" * 1_000_000)
        for left in (0, 1, 12, 40_000, 999_999):
            way.left = left
            results = await asyncio.gather(
                client.call("GET", "large"), client.call("ECHO", 1), client.call_many([("PING",)] * 3), return_exceptions=True
            )
            assert all(isinstance(result, CacheUnavailableError) for result in results)
            assert client.is_suspended
            trust_again(client)
            way.left = None
            assert await client.call("ECHO", left) == b"%d" % left


async def test_what_is_no_answer_ends_the_connection(open_client: OpenClient) -> None:
    says = [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"-ERR max number of clients reached\r\n", b"", b"+OK\r\n" * 9, b"$-7\r\n"]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if nonsense.startswith(b"-"):
            writer.write(nonsense)
        await reader.read(1_000)
        writer.write(nonsense)
        await writer.drain()
        writer.close()

    for nonsense in says:  # noqa: B007 - `serve` says it
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        client = open_client(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}", timeout_seconds=0.5)
        with pytest.raises(CacheUnavailableError):
            await client.call("PING")
        assert client.is_suspended
        assert client.run_id == ""
        server.close()


async def test_a_server_that_is_full(client: RedisClient) -> None:
    await client.call("SET", "there", 1)
    await client.redis.config_set("maxmemory-policy", "noeviction")
    await client.redis.config_set("maxmemory", 1)
    try:
        with pytest.raises(CacheUnavailableError, match="OOM"):
            await client.call("SET", "more", 1)
        trust_again(client)
        assert await client.call("GET", "there") == b"1"
    finally:
        await client.redis.config_set("maxmemory", 0)
    assert await client.call("SET", "more", 1) == b"OK"


async def _while_asked(client: RedisClient) -> list[asyncio.Task[object]]:
    await client.call("PING")
    return [asyncio.create_task(client.call("PING")) for _ in range(3)]


async def _while_connecting(client: RedisClient) -> list[asyncio.Task[object]]:
    return [asyncio.create_task(client.call("PING")) for _ in range(3)]


@pytest.mark.parametrize("begin", [_while_asked, _while_connecting])
@pytest.mark.parametrize("turns", range(6))
async def test_closing_while_somebody_asks(
    open_client: OpenClient,
    valkey: EmbeddedValkey,
    begin: Callable[[RedisClient], Awaitable[list[asyncio.Task[object]]]],
    turns: int,
) -> None:
    client = open_client()
    tasks = await begin(client)
    with stopped(valkey):
        for _ in range(turns):
            await asyncio.sleep(0)
        await client.close()
        async with asyncio.timeout(1):
            results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, CacheUnavailableError) or result == b"PONG" for result in results)
    with pytest.raises(CacheUnavailableError, match="closed"):
        await client.call("PING")
    await client.close()


async def test_who_gives_up_while_it_is_connected_does_not_stop_the_others(open_client: OpenClient) -> None:
    client = open_client()
    tasks = [asyncio.create_task(client.call("ECHO", number)) for number in range(5)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1:] == [b"1", b"2", b"3", b"4"]
