"""Tests of batched loading when somebody who waits goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from resolvers.loaders import BatchLoader


class Slow:
    """Answers a batch when it is let go on."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.asked: list[list[int]] = []

    async def __call__(self, keys: Sequence[int]) -> Mapping[int, str]:
        self.asked.append(list(keys))
        await self.go_on.wait()
        return {key: f"number {key}" for key in keys if key >= 0}


async def test_a_field_that_is_cancelled_takes_nothing_from_others() -> None:
    # graphql-core cancels the fields beside one that failed, and an author's posts all wait for one load.
    slow = Slow()
    loader: BatchLoader[str] = BatchLoader(slow)

    async def field(key: int) -> str:
        return await loader.load(key)

    fields = [asyncio.create_task(field(1)) for _ in range(3)]
    await asyncio.sleep(0)
    fields[0].cancel()
    await asyncio.sleep(0)
    assert fields[0].cancelled(), "who is cancelled does not wait for the batch"
    slow.go_on.set()
    assert await asyncio.gather(*fields[1:], field(1)) == ["number 1"] * 3
    assert slow.asked == [[1]]


async def test_a_batch_that_fails_fails_for_everybody() -> None:
    async def broken(keys: Sequence[int]) -> Mapping[int, str]:
        await asyncio.sleep(0)
        raise LookupError(str(keys))

    loader: BatchLoader[str] = BatchLoader(broken)
    answers = await asyncio.gather(loader.load(1), loader.load(1), loader.load(2), return_exceptions=True)
    assert [type(answer) for answer in answers] == [LookupError] * 3


async def test_what_is_known_is_not_waited_for() -> None:
    loader: BatchLoader[str] = BatchLoader(Slow())
    loader.prime(7, "seven")
    assert loader.load(7).done()
    with pytest.raises(TypeError):
        loader.load(None)  # type: ignore[arg-type]
