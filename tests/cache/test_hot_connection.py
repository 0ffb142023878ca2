"""Asking over one socket for all: what comes back, in which order, and what nobody else notices."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

from app.stack.valkey import EmbeddedValkey
from cache.client import RedisClient
from cache.hot_socket import MOST_IN_LINE_BYTES, MOST_UNANSWERED
from domain.errors import CacheUnavailableError
from tests.cache.forwarding import forwarding
from tests.cache.hot_valkey import OpenClient, client, open_client, trust_again, valkey

__all__ = ["client", "open_client", "valkey"]

COUNTING = "return {redis.call('INCR', KEYS[1]), ARGV[1]}"


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        (("SET", "a", "ä"), b"OK"),
        (("GET", "never"), None),
        (("APPEND", b"\x00\xff", b"\r\n"), 2),
        (("INCRBY", "n", -5), -5),
        (("EVAL", "return {1, {'x', false, {}}, ARGV[1]}", 0, 2.5), [1, [b"x", None, []], b"2.5"]),
        (("LRANGE", "never", 0, -1), []),
        (("BLPOP", "never", 0), ValueError),
        (("multi",), ValueError),
        ((b"Select", 3), ValueError),
        ((), ValueError),
        (("",), ValueError),
        (("GET", None), TypeError),
        (("GET", True), TypeError),
        (("GET", "\ud800"), UnicodeEncodeError),
    ],
)
async def test_replies_are_as_the_server_gives_them(client: RedisClient, command: tuple[Any, ...], reply: Any) -> None:
    if isinstance(reply, type):
        with pytest.raises(reply):
            await client.call(*command)
        with pytest.raises(reply):
            await client.call_many([("PING",), command])
    else:
        assert await client.call(*command) == reply
    assert await client.call("PING") == b"PONG"
    assert not client.is_suspended


async def test_each_of_ten_thousand_at_once_gets_its_own_answer(client: RedisClient) -> None:
    calls = [client.call("ECHO", number) for number in range(10_000)]
    assert await asyncio.gather(*calls) == [b"%d" % number for number in range(10_000)]
    assert len(calls) > MOST_UNANSWERED


async def test_what_is_asked_in_one_turn_goes_out_together(open_client: OpenClient, valkey: EmbeddedValkey) -> None:
    async with forwarding(valkey.url) as way:
        client = open_client(valkey.url.replace(valkey.url.rsplit(":", 1)[1], f"{way.port}/0"))
        await client.call("PING")
        del way.asked[:]
        await asyncio.gather(client.call("ECHO", "x"), client.call_many([("ECHO", "y"), ("ECHO", "z")]))
        assert bytes(way.asked).count(b"ECHO") == 3
        assert way.connections == 1, "one connection for all of them"


async def test_several_in_one_go(client: RedisClient) -> None:
    assert await client.call_many([]) == []
    assert await client.call_many([("PING",)]) == [b"PONG"]
    assert await client.call_many([("LRANGE", "never", 0, 9)]) == [[]]
    many = await client.call_many([("INCR", "n")] * (3 * MOST_UNANSWERED))
    assert many == list(range(1, 3 * MOST_UNANSWERED + 1))


async def test_an_error_reply_fails_its_own_call_and_opens_the_breaker(client: RedisClient) -> None:
    await client.call("SET", "text", "x")
    results = await asyncio.gather(
        client.call("ECHO", 1), client.call("INCR", "text"), client.call("ECHO", 2), return_exceptions=True
    )
    assert (results[0], results[2]) == (b"1", b"2")
    assert isinstance(results[1], CacheUnavailableError)
    assert "not an integer" in str(results[1])
    assert client.is_suspended
    for refused in (client.call("PING"), client.call_many([("PING",)]), client.run(client.redis.ping())):
        with pytest.raises(CacheUnavailableError, match="a moment ago"):
            await refused
    trust_again(client)
    with pytest.raises(CacheUnavailableError, match="not an integer"):
        await client.call_many([("ECHO", 1), ("INCR", "text"), ("ECHO", 2)])
    trust_again(client)
    assert await client.call("PING") == b"PONG"


async def test_whoever_gives_up_leaves_the_answers_of_the_others(client: RedisClient) -> None:
    for seed in range(20):
        chance = random.Random(seed)
        calls = [asyncio.create_task(client.call("ECHO", f"{seed}:{number}")) for number in range(200)]
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        gone = set(chance.sample(range(200), 100))
        for number in gone:
            calls[number].cancel()
        results = await asyncio.gather(*calls, return_exceptions=True)
        for number, result in enumerate(results):
            expected = f"{seed}:{number}".encode()
            assert result == expected or (number in gone and isinstance(result, asyncio.CancelledError))
    assert await client.call("PING") == b"PONG"


async def test_who_gives_up_before_it_is_written_has_asked_nothing(client: RedisClient) -> None:
    await client.call("SET", "n", 0)
    task = asyncio.create_task(client.call("INCR", "n"))
    asyncio.get_running_loop().call_soon(task.cancel)
    await asyncio.gather(task, return_exceptions=True)
    assert await client.call("GET", "n") == b"0"


async def test_scripts_that_the_server_has_forgotten(client: RedisClient) -> None:
    script, other = client.hot_script(COUNTING), client.hot_script("return redis.call('GET', KEYS[1])")
    assert await script(keys=["n"], args=["x"]) == [1, b"x"]
    for expected in (2, 3):
        await client.redis.script_flush()
        assert await script(keys=["n"], args=[7]) == [expected, b"7"]
    await client.redis.script_flush()
    # One that is known already runs at its place, the others after it: none of them twice.
    await other(keys=["n"])
    commands = [script.command(["n"], ["a"]), other.command(["n"], ()), ("INCR", "n"), script.command(["n"], ["b"])]
    assert await client.call_many(commands) == [[5, b"a"], b"3", 4, [6, b"b"]]
    assert not client.is_suspended
    with pytest.raises(CacheUnavailableError, match="NOSCRIPT"):
        await client.call("EVALSHA", "0" * 40, 0)


async def test_a_script_that_fails_while_it_is_loaded(client: RedisClient) -> None:
    script = client.hot_script("return redis.call('INCR', KEYS[1])")
    await client.call("SET", "text", "x")
    with pytest.raises(CacheUnavailableError, match="not an integer"):
        await script(keys=["text"])
    trust_again(client)
    with pytest.raises(CacheUnavailableError, match="not an integer"):
        await client.call_many([script.command(["n"], ()), script.command(["text"], ())])


async def test_large_arguments_and_answers(client: RedisClient) -> None:
    large = random.Random(1).randbytes(20_000_000)
    results = await asyncio.gather(
        client.call("ECHO", 1), client.call("SET", "large", large), client.call("ECHO", 2), client.call("GET", "large")
    )
    assert list(results) == [b"1", b"OK", b"2", large]
    assert [reply == large for reply in await client.call_many([("GET", "large")] * 3)] == [True] * 3


async def test_answers_in_pieces(open_client: OpenClient, valkey: EmbeddedValkey) -> None:
    async with forwarding(valkey.url) as way:
        client = open_client(valkey.url.replace(valkey.url.rsplit(":", 1)[1], f"{way.port}/0"))
        await client.call("PING")
        for way.piece in (1, 2, 7):
            answers = client.call_many([("ECHO", "x" * 50), ("LRANGE", "never", 0, 1), ("GET", "never"), ("ECHO", "")])
            nested = client.call("EVAL", "return {{{}, 1}, 'y'}", 0)
            assert await asyncio.gather(answers, nested) == [[b"x" * 50, [], None, b""], [[[], 1], b"y"]]


async def test_too_much_is_refused_at_once(client: RedisClient) -> None:
    await client.call("PING")
    whole = b"x" * (MOST_IN_LINE_BYTES // 2 + 1)
    results = await asyncio.gather(*(client.call("STRLEN", whole) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [int, CacheUnavailableError, CacheUnavailableError]
    assert not client.is_suspended
    again = await asyncio.gather(client.call("STRLEN", whole), client.call("PING"))
    assert list(again) == [0, b"PONG"], "there is room again"


async def test_another_event_loop_is_refused(client: RedisClient) -> None:
    await client.call("PING")
    found: list[BaseException] = []

    def elsewhere() -> None:
        try:
            asyncio.run(client.call("PING"))
        except RuntimeError as error:
            found.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    await asyncio.to_thread(thread.join, 5)
    assert "event loop" in str(found[0])
    assert await client.call("PING") == b"PONG"


@pytest.mark.parametrize("make_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
async def test_nobody_gets_the_answer_of_another_whatever_happens(
    valkey: EmbeddedValkey, make_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """Callers come and go, connections are killed, scripts are forgotten."""

    async def chaos() -> tuple[int, int]:
        chance = random.Random(3)
        client, other = (RedisClient(valkey.url, timeout_seconds=2.0) for _ in range(2))
        script = client.hot_script("return ARGV")
        answered = failed = 0

        async def ask(number: int) -> None:
            nonlocal answered, failed
            for turn in range(40):
                own = f"{number}-{turn}".encode()
                try:
                    match chance.randrange(3):
                        case 0:
                            assert await client.call("ECHO", own) == own
                        case 1:
                            assert await script(args=[own, turn]) == [own, b"%d" % turn]
                        case 2:
                            replies = await client.call_many([("ECHO", own), script.command((), [own]), ("PING",)])
                            assert replies == [own, [own], b"PONG"]
                    answered += 1
                except CacheUnavailableError:
                    failed += 1
                    trust_again(client)
                await asyncio.sleep(0.002 * chance.random())

        async def spoil() -> None:
            for turn in range(12):
                await asyncio.sleep(0.01)
                await (other.redis.script_flush() if turn % 3 else other.redis.client_kill_filter(skipme=True))

        askers = [asyncio.create_task(ask(number)) for number in range(40)]
        spoiling = asyncio.create_task(spoil())
        for task in chance.sample(askers, 15):
            await asyncio.sleep(0.005)
            task.cancel()
        results = await asyncio.gather(*askers, spoiling, return_exceptions=True)
        assert [result for result in results if isinstance(result, Exception)] == []
        await client.close()
        await other.close()
        assert len(asyncio.all_tasks()) == 1
        return answered, failed

    def run() -> tuple[int, int]:
        with asyncio.Runner(loop_factory=make_loop) as runner:
            return runner.run(chaos())

    answered, failed = await asyncio.to_thread(run)
    assert answered > 500
    assert failed > 0
