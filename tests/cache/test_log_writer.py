"""Entries of the logs: in one step with the timelines, for those who have a log, with the bell; on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from app.stack.servers import EmbeddedServers
from cache import keys, log_writer
from domain.errors import CacheUnavailableError
from domain.event_log import SHARED_LOG, VIEWERS_BELL, LogEntry, pack_ids, unpack_ids
from domain.timeline_version import TimelineVersion
from services.backends import Backends
from tests.pubsub import Heard, listening

ADA, BOB, EVE = 7_529_881_903_457_900_901, 2, 3
PUBLISHED, CHANGED = LogEntry(7, 700, True), LogEntry(8, 800, False)
POST = 5 << 22
VERSION = TimelineVersion("01234567.1", 3)


@pytest.fixture(autouse=True)
async def _nothing_of_other_tests(backends: Backends) -> None:
    await backends.redis.redis.flushdb()


@pytest.fixture
async def heard(servers: EmbeddedServers) -> AsyncIterator[Heard]:
    async with listening(servers.urls.redis_url) as heard:
        yield heard


async def _entries(backends: Backends, key: str) -> list[LogEntry]:
    found: list[tuple[bytes, dict[bytes, bytes]]] = cast("Any", await backends.redis.redis.xrange(key))
    return [LogEntry.unpack(fields[b"e"].decode()) for _, fields in found if b"e" in fields]


async def _warm(backends: Backends, viewer_id: int) -> None:
    claim = await backends.timelines.begin_building(viewer_id, version=VERSION)
    assert claim is not None
    await backends.timelines.finish_building(claim, [])


async def test_timeline_and_log_take_a_post_in_one_step(backends: Backends, heard: Heard) -> None:
    """Warm and live, warm only, live only, neither."""
    await backends.event_logs.open([ADA, EVE])
    await _warm(backends, ADA)
    await _warm(backends, BOB)
    assert await backends.timelines.deliver([ADA, BOB, EVE, 4], POST, PUBLISHED) == 2
    assert [await _entries(backends, keys.event_log(viewer)) for viewer in (ADA, BOB, EVE, 4)] == [
        [PUBLISHED],
        [],
        [PUBLISHED],
        [],
    ]
    assert await backends.redis.redis.exists(keys.event_log(BOB), keys.event_log(4)) == 0, "who is not live gets no log"
    assert (await backends.timelines.inspect(ADA)).ids == [POST]
    assert (await backends.timelines.inspect(EVE)).ids == []
    assert await heard.of(VIEWERS_BELL) == [(ADA, EVE)]
    await backends.timelines.remove([BOB, ADA], POST, CHANGED)
    assert await _entries(backends, keys.event_log(ADA)) == [PUBLISHED, CHANGED]
    assert (await backends.timelines.inspect(BOB)).ids == (await backends.timelines.inspect(ADA)).ids == []
    assert await heard.of(VIEWERS_BELL) == [(ADA,)]


async def test_without_an_entry_nobody_is_told(backends: Backends, heard: Heard) -> None:
    await backends.event_logs.open([ADA])
    await _warm(backends, ADA)
    await backends.timelines.deliver([ADA], POST)
    await backends.timelines.remove([ADA], POST)
    assert await _entries(backends, keys.event_log(ADA)) == []
    await backends.log_writer.append([ADA], CHANGED)
    assert await heard.of(VIEWERS_BELL) == [(ADA,)], "and only then"


async def test_logs_alone(backends: Backends, heard: Heard) -> None:
    viewers = list(range(1, 301))
    await backends.event_logs.open(viewers[::2])
    await backends.log_writer.append([], CHANGED)
    await backends.log_writer.append(viewers, CHANGED)
    assert await heard.of(VIEWERS_BELL) == [tuple(viewers[::2])]
    await backends.log_writer.append(viewers[1::2], CHANGED)
    assert await backends.redis.redis.exists(*(keys.event_log(viewer) for viewer in viewers)) == 150


async def test_the_log_for_all(backends: Backends, heard: Heard) -> None:
    await backends.log_writer.append_shared(PUBLISHED)
    assert not await backends.redis.redis.exists(SHARED_LOG), "nobody is live"
    await backends.event_logs.shared_end()
    await backends.log_writer.append_shared(CHANGED)
    assert await _entries(backends, SHARED_LOG) == [CHANGED]
    assert await heard.rings_of_all() == 1


async def test_logs_are_cut(backends: Backends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_writer, "LOG_LENGTH", 200)
    monkeypatch.setattr(log_writer, "SHARED_LOG_LENGTH", 300)
    place = (await backends.event_logs.open([ADA]))[ADA]
    await backends.event_logs.shared_end()
    for number in range(700):
        entry = LogEntry(number, number, True)
        await asyncio.gather(backends.log_writer.append([ADA], entry), backends.log_writer.append_shared(entry))
    assert 200 <= await backends.redis.redis.xlen(keys.event_log(ADA)) < 400
    assert 300 <= await backends.redis.redis.xlen(SHARED_LOG) < 500
    read = (await backends.event_logs.read({ADA: place}))[ADA]
    assert not read.is_whole
    assert list(await backends.event_logs.read({ADA: read.end})) == [], "its end is the end"


async def test_a_script_that_fails_has_written_nothing_to_later_logs_and_may_be_repeated(backends: Backends) -> None:
    """A foreign value under the key of one log: the call fails, the job is tried again, others have the entry twice at most."""
    await backends.event_logs.open([ADA, EVE])
    await backends.redis.redis.set(keys.event_log(BOB), "not a log")
    with pytest.raises(CacheUnavailableError, match="WRONGTYPE"):
        await backends.log_writer.append([ADA, BOB, EVE], CHANGED)
    await backends.redis.redis.unlink(keys.event_log(BOB))
    assert await backends.redis.is_reachable()
    await backends.log_writer.append([ADA, BOB, EVE], CHANGED)
    assert await _entries(backends, keys.event_log(ADA)) == [CHANGED, CHANGED]
    assert await _entries(backends, keys.event_log(EVE)) == [CHANGED]


def test_messages_of_bells_can_be_joined() -> None:
    assert unpack_ids(pack_ids([ADA]) + pack_ids([]) + pack_ids([BOB, EVE])) == (ADA, BOB, EVE)
    with pytest.raises(ValueError, match="ids"):
        unpack_ids(b"1234567")
