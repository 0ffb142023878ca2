"""Questions of many in one reading: nobody is answered by a reading that began before the question."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest

from domain.errors import UnavailableError
from services.memory import gathered_reads
from services.memory.gathered_reads import GatheredReads


class Truth:
    """A number that grows; a reading takes what it is when it begins, and is answered when `go` is set."""

    def __init__(self) -> None:
        self.now = 0
        self.rounds: list[list[str]] = []
        self.go = asyncio.Event()
        self.failure: Exception | None = None

    async def read(self, keys: list[str]) -> Mapping[str, int]:
        self.rounds.append(keys)
        found = dict.fromkeys(keys, self.now)
        await self.go.wait()
        if self.failure is not None:
            raise self.failure
        return found


@pytest.fixture
async def truth() -> Truth:
    return Truth()


@pytest.fixture
async def reads(truth: Truth, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[GatheredReads[str, int]]:
    monkeypatch.setattr(gathered_reads, "_PATIENCE_SECONDS", 60.0)
    gathered = GatheredReads(truth.read)
    yield gathered
    await gathered.close()


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_whoever_asks_in_one_turn_shares_a_reading(truth: Truth, reads: GatheredReads[str, int]) -> None:
    truth.go.set()
    found = await asyncio.gather(reads.ask(["a", "b"]), reads.ask(["b", "c"]))
    assert truth.rounds == [["a", "b", "c"]]
    assert [one["b"] for one in found] == [0, 0]


async def test_a_reading_under_way_answers_nobody_who_asks_later(truth: Truth, reads: GatheredReads[str, int]) -> None:
    early = asyncio.create_task(reads.ask(["a"]))
    await turn()
    truth.now = 1
    late = [asyncio.create_task(reads.ask(["a"])), asyncio.create_task(reads.ask(["b"]))]
    await turn()
    assert truth.rounds == [["a"]], "the next one waits, and grows"
    truth.go.set()
    assert (await early)["a"] == 0
    assert [dict(await one) for one in late] == [{"a": 1, "b": 1}] * 2
    assert truth.rounds == [["a"], ["a", "b"]]


async def test_one_that_hangs_holds_up_nobody_for_long(truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathered_reads, "_PATIENCE_SECONDS", 0.0)
    reads = GatheredReads(truth.read, at_once=2)
    tasks = [asyncio.create_task(reads.ask(["a"]))]
    await asyncio.sleep(0.01)
    for key in ("b", "c", "d"):
        tasks.append(asyncio.create_task(reads.ask([key])))
        await asyncio.sleep(0.01)
    assert truth.rounds == [["a"], ["b"]], "beside it, but no more than two"
    truth.go.set()
    assert [len(await task) for task in tasks] == [1, 1, 2, 2]
    await reads.close()


async def test_a_place_that_becomes_free_is_taken_though_another_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathered_reads, "_PATIENCE_SECONDS", 0.0)
    hanging = asyncio.Event()

    async def read(keys: list[str]) -> Mapping[str, str]:
        await (hanging.wait() if keys == ["hangs"] else asyncio.sleep(0.02))
        return {key: key for key in keys}

    reads = GatheredReads(read, at_once=2)
    first = asyncio.create_task(reads.ask(["hangs"]))
    await asyncio.sleep(0.01)
    async with asyncio.timeout(5):
        second = asyncio.create_task(reads.ask(["b"]))
        await asyncio.sleep(0.01)
        assert await reads.ask(["c"]) == {"c": "c"}
        await second
    hanging.set()
    await first
    await reads.close()


async def test_closing_before_a_reading_has_begun(truth: Truth) -> None:
    reads = GatheredReads(truth.read)
    waiting = reads.begin(["a"])
    reads._begin()
    await reads.close()
    assert waiting.cancelled()


async def test_many_keys_are_several_readings(truth: Truth) -> None:
    truth.go.set()
    reads = GatheredReads(truth.read, max_keys=2)
    found = await asyncio.gather(*(reads.ask([key]) for key in "abcde"))
    assert [one[key] for one, key in zip(found, "abcde", strict=True)] == [0] * 5
    assert max(map(len, truth.rounds)) == 2
    await reads.close()


async def test_who_is_cancelled_takes_nothing_from_the_others(truth: Truth, reads: GatheredReads[str, int]) -> None:
    first, second = (asyncio.create_task(reads.ask([key])) for key in "ab")
    await turn()
    first.cancel()
    await turn()
    truth.go.set()
    assert (await second)["b"] == 0
    with pytest.raises(asyncio.CancelledError):
        await first
    assert (await reads.ask(["c"]))["c"] == 0


async def test_nothing_is_read_for_those_who_have_gone(truth: Truth, reads: GatheredReads[str, int]) -> None:
    first = asyncio.create_task(reads.ask(["a"]))
    await turn()
    second = asyncio.create_task(reads.ask(["b"]))
    await turn()
    second.cancel()
    await turn()
    truth.go.set()
    await first
    await turn()
    assert truth.rounds == [["a"]]


async def test_a_failure_is_everybodys_and_the_next_reading_is_a_new_one(truth: Truth, reads: GatheredReads[str, int]) -> None:
    truth.go.set()
    truth.failure = ValueError("away")
    found = await asyncio.gather(reads.ask(["a"]), reads.ask(["b"]), return_exceptions=True)
    assert [type(one) for one in found] == [ValueError, ValueError]
    truth.failure = None
    assert await reads.ask(["a"]) == {"a": 0}


async def test_closing_leaves_nobody_waiting(truth: Truth) -> None:
    reads = GatheredReads(truth.read)
    tasks = [asyncio.create_task(reads.ask(["a"]))]
    await turn()
    tasks.append(asyncio.create_task(reads.ask(["b"])))
    await turn()
    await reads.close()
    for task in tasks:
        with pytest.raises(asyncio.CancelledError):
            await task
    with pytest.raises(UnavailableError):
        await reads.ask(["a"])
