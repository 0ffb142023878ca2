"""Which run of the server a reply is from, whatever ends and begins meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from app.stack.valkey import EmbeddedValkey
from cache import keys
from cache.client import RedisClient
from cache.server_run import EarlierRunError, ServerRun
from cache.timelines import Timelines, Warmth
from domain.errors import CacheUnavailableError
from domain.ids import MAX_ID
from domain.timeline_version import TimelineVersion
from tests.cache.hot_valkey import OpenClient, client, open_client, stopped, trust_again, valkey

__all__ = ["client", "open_client", "valkey"]


async def test_a_server_that_is_killed_and_comes_back_is_another_run(client: RedisClient, valkey: EmbeddedValkey) -> None:
    await client.call("PING")
    first = client.run_id
    with stopped(valkey):
        asking = [asyncio.create_task(client.call("PING")) for _ in range(10)]
        await asyncio.sleep(0.05)
        os.kill(valkey.pid, signal.SIGKILL)
        results = await asyncio.gather(*asking, return_exceptions=True)
        assert all(isinstance(result, CacheUnavailableError) for result in results)
        assert client.is_suspended
        trust_again(client)
        with pytest.raises(CacheUnavailableError, match="Connect"):
            await client.call("PING")
        valkey.stop()
        valkey.start()
    trust_again(client)
    assert client.run_id == first
    assert await client.call("GET", "x") is None
    assert client.run_id != first, "known before the first reply"


async def test_both_kinds_of_connection_know_one_run(client: RedisClient) -> None:
    assert client.run_id != ""
    by_pool = client.run_id
    await client.call("PING")
    assert client.run_id == by_pool
    # Another connection of the client reaches another run: what was asked of this one is not believed, and it goes.
    asking = asyncio.create_task(client.call("PING"))
    await asyncio.sleep(0)
    client._run.learn(client._run.ask(), b"run_id:anotherrun12\r\n")
    with pytest.raises(CacheUnavailableError, match="restarted"):
        await asking
    assert not client.is_suspended
    assert client.run_id == "anotherrun12"
    assert await client.call("PING") == b"PONG"
    assert client.run_id == by_pool


def test_a_late_answer_of_an_earlier_run_does_not_count() -> None:
    run = ServerRun()
    heard: list[str] = []
    run.on_change = heard.append
    early, late = run.ask(), run.ask()
    assert run.learn(late, b"# Server\r\nrun_id:new\r\nx:y") == "new"
    with pytest.raises(EarlierRunError):
        run.learn(early, "run_id:old")
    assert run.learn(early, "run_id:new") == "new"
    assert (run.id, heard) == ("new", ["new"])
    assert run.learn(run.ask(), "run_id:" + "f" * 40) == "f" * 12
    assert heard == ["new", "f" * 12]
    with pytest.raises(ValueError, match="which run"):
        run.learn(run.ask(), b"redis_version:1")


async def test_timelines_that_a_restarted_server_has_kept_are_cold(open_client: OpenClient, tmp_path: Path) -> None:
    """Exactness 5, by a server that really comes back with what it had: its markers bear the name of another run."""
    server = EmbeddedValkey(tmp_path, "kept", persistent=True)
    server.start()
    try:
        client = open_client(server.url)
        timelines, version = Timelines(client, cap=5, ttl=timedelta(hours=1)), TimelineVersion("01234567.1", 1)
        claim = await timelines.begin_building(1, version=version)
        assert claim is not None
        assert await timelines.finish_building(claim, [3 << 22, 2 << 22])
        assert await timelines.deliver([1], 4 << 22) == 1
        found = await timelines.read_older(1, version=version, below=MAX_ID, size=5)
        assert (found.warmth, found.ids) == (Warmth.WARM, [4 << 22, 3 << 22, 2 << 22])
        server.stop()
        server.start()
        await asyncio.sleep(0.02)  # the end of the connection is heard: starting has held up the loop
        reads = [timelines.read_older(1, version=version, below=MAX_ID, size=5) for _ in range(20)]
        assert {found.warmth for found in await asyncio.gather(*reads)} == {Warmth.COLD}
        assert await client.redis.zcard(keys.timeline(1)) == 4, "it is all there"
    finally:
        server.stop()
