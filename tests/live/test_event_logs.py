"""Opening and reading the event logs: what is new, and whether something is missing, on a real server."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest

from app.stack.servers import EmbeddedServers
from cache.client import RedisClient
from domain.errors import CacheUnavailableError
from domain.event_log import BEGINNING, SHARED_LOG, LogEntry, LogPosition, log_key
from live.event_logs import LOGS_PER_CALL, EventLogs

ADA, BOB, EVE = 1, 2, 3
FIRST, SECOND, THIRD = LogEntry(7, 700, True), LogEntry(8, 800, False), LogEntry(9, 900, True)
DAY_MS = 24 * 3_600 * 1_000


@pytest.fixture
async def client(servers: EmbeddedServers) -> AsyncIterator[RedisClient]:
    client = RedisClient(servers.urls.redis_url, timeout_seconds=5.0)
    await client.redis.flushdb()
    yield client
    await client.close()


@pytest.fixture
def logs(client: RedisClient) -> EventLogs:
    return EventLogs(client)


async def _write(client: RedisClient, viewer_id: int, *entries: LogEntry, key: str = "") -> None:
    for entry in entries:
        await client.redis.xadd(key or log_key(viewer_id), {"e": entry.pack()}, nomkstream=True)


async def test_opening_makes_what_is_missing_and_nothing_else(client: RedisClient, logs: EventLogs) -> None:
    ends = await logs.open([ADA, BOB])
    await _write(client, ADA, FIRST)
    await _write(client, EVE, FIRST)
    again = await logs.open([ADA, BOB])
    assert ends[ADA] < again[ADA]
    assert ends[BOB] == again[BOB]
    assert await client.redis.keys("ev:*{3}") == [], "nobody has opened it"
    assert await logs.open([]) == {}


async def test_only_viewers_with_something_new_are_told(client: RedisClient, logs: EventLogs) -> None:
    places = await logs.open([ADA, BOB, EVE])
    await _write(client, ADA, FIRST, SECOND)
    await _write(client, EVE, THIRD)
    found = await logs.read(places, run_id=logs.run_id)
    assert set(found) == {ADA, EVE}
    assert (list(found[ADA].entries), found[ADA].is_whole) == ([FIRST, SECOND], True)
    assert list(found[EVE].entries) == [THIRD]
    places |= {viewer_id: read.end for viewer_id, read in found.items()}
    assert await logs.read(places) == {}
    await _write(client, ADA, THIRD)
    assert list((await logs.read(places))[ADA].entries) == [THIRD]
    assert places == await logs.open([BOB, EVE]) | {ADA: places[ADA]}


async def test_a_long_log_is_read_in_parts(client: RedisClient, logs: EventLogs) -> None:
    places = await logs.open([ADA])
    entries = [LogEntry(number, number, number % 2 == 0) for number in range(1, 8)]
    await _write(client, ADA, *entries)
    told: list[LogEntry] = []
    while found := await logs.read(places, limit=3):
        assert found[ADA].is_whole
        told += found[ADA].entries
        places = {ADA: found[ADA].end}
    assert told == entries


async def test_more_viewers_than_one_script_takes(client: RedisClient, logs: EventLogs) -> None:
    viewers = range(10, 10 + LOGS_PER_CALL + 3)
    places = await logs.open(viewers)
    assert list(places) == list(viewers)
    for viewer_id in (viewers[0], viewers[LOGS_PER_CALL - 1], viewers[LOGS_PER_CALL], viewers[-1]):
        await _write(client, viewer_id, LogEntry(viewer_id, 1, True))
    found = await logs.read(places)
    assert {viewer_id: read.entries[0].event_id for viewer_id, read in found.items()} == {
        viewer_id: viewer_id for viewer_id in (viewers[0], viewers[LOGS_PER_CALL - 1], viewers[LOGS_PER_CALL], viewers[-1])
    }


@pytest.mark.parametrize("loss", ["flushed", "evicted", "flushed and opened", "flushed, opened and written", "cut", "future"])
async def test_a_log_that_has_lost_something_says_so(client: RedisClient, logs: EventLogs, loss: str) -> None:
    places = await logs.open([ADA, BOB])
    await _write(client, ADA, FIRST)
    if loss == "evicted":
        await client.redis.unlink(log_key(ADA))
    elif loss == "cut":
        await _write(client, ADA, SECOND)
        await client.redis.xtrim(log_key(ADA), maxlen=1, approximate=False)
    elif loss == "future":
        places[ADA] = LogPosition(places[ADA].milliseconds + 60_000, 0)
    else:
        await client.redis.flushdb()
        if "opened" in loss:
            places[BOB] = (await logs.open([ADA, BOB]))[BOB]
        if "written" in loss:
            await _write(client, ADA, SECOND)
    found = (await logs.read(places))[ADA]
    assert (list(found.entries), found.is_whole) == ([], False)
    exists = await client.redis.exists(log_key(ADA))
    assert (found.end != BEGINNING) == bool(exists)
    # From its end it goes on, once it exists.
    end = (await logs.open([ADA]))[ADA]
    assert end == found.end or not exists
    await _write(client, ADA, THIRD)
    assert list((await logs.read({ADA: end}))[ADA].entries) == [THIRD]


async def test_a_log_made_anew_has_no_entry_of_the_old_one_even_within_a_millisecond(
    client: RedisClient, logs: EventLogs
) -> None:
    """The server's clock stands still within a script, so ids are repeated where nothing random is in them."""
    seen = set()
    for _ in range(50):
        await client.redis.unlink(log_key(ADA))
        seen.add((await logs.open([ADA]))[ADA].sequence)
    assert len(seen) == 50


async def test_another_run_of_the_server_loses_everything(client: RedisClient, logs: EventLogs) -> None:
    places = await logs.open([ADA, BOB])
    shared = await logs.shared_end()
    found = await logs.read(places, run_id="another")
    assert set(found) == {ADA, BOB}
    assert not any(read.is_whole for read in found.values())
    assert not (await logs.read_shared(shared, run_id="another")).is_whole
    assert await logs.read(places, run_id=logs.run_id) == {}


async def test_the_log_for_all(client: RedisClient, logs: EventLogs) -> None:
    await _write(client, 0, FIRST, key=SHARED_LOG)
    place = await logs.shared_end()
    nothing = await logs.read_shared(place)
    assert (list(nothing.entries), nothing.end, nothing.is_whole) == ([], place, True), "nobody read it yet"
    await _write(client, 0, SECOND, THIRD, key=SHARED_LOG)
    found = await logs.read_shared(place, limit=1)
    assert list(found.entries) == [SECOND]
    assert list((await logs.read_shared(found.end)).entries) == [THIRD]
    await client.redis.unlink(SHARED_LOG)
    lost = await logs.read_shared(place)
    assert (lost.is_whole, lost.end) == (False, BEGINNING)


async def test_lives_are_a_day_and_renewed(client: RedisClient, logs: EventLogs) -> None:
    async def lives() -> list[int]:
        return [await client.redis.pttl(key) for key in (log_key(ADA), SHARED_LOG)]

    await logs.open([ADA])
    await logs.shared_end()
    assert all(DAY_MS - 60_000 < life <= DAY_MS for life in await lives())
    for key in (log_key(ADA), SHARED_LOG):
        await client.redis.pexpire(key, 5_000)
    await _write(client, ADA, FIRST)
    await _write(client, 0, FIRST, key=SHARED_LOG)
    await logs.read(await logs.open([BOB]))
    assert all(life <= 5_000 for life in await lives()), "neither writing nor reading keeps a log alive"
    await logs.renew([ADA, EVE])
    assert all(life > DAY_MS - 60_000 for life in await lives())
    assert not await client.redis.exists(log_key(EVE))


async def test_an_entry_of_another_version_is_a_loss(client: RedisClient, logs: EventLogs) -> None:
    places = await logs.open([ADA, BOB])
    await client.redis.xadd(log_key(ADA), {"e": "x"})
    await client.redis.xadd(log_key(BOB), {"e": ""})
    found = await logs.read(places)
    assert {viewer_id: read.is_whole for viewer_id, read in found.items()} == {ADA: False, BOB: False}
    assert found[ADA].end > places[ADA]


async def test_a_server_that_is_away() -> None:
    client = RedisClient(f"unix:///tmp/{uuid.uuid4()}", timeout_seconds=0.5)
    away = EventLogs(client)
    try:
        for call in (away.open([ADA]), away.read({ADA: BEGINNING}), away.shared_end()):
            with pytest.raises(CacheUnavailableError):
                await call
    finally:
        await client.close()


async def test_many_readers_at_once(client: RedisClient, logs: EventLogs) -> None:
    places = await logs.open(range(1, 101))
    for viewer_id in places:
        await _write(client, viewer_id, FIRST)
    for found in await asyncio.gather(*(logs.read(places) for _ in range(5))):
        assert len(found) == 100
