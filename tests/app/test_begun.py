"""Tests of coroutines that are run as far as they go."""

from __future__ import annotations

import asyncio

import pytest

from app.begun import Begun


async def test_what_need_not_wait_is_done_at_once() -> None:
    async def work() -> int:
        return 7

    begun = Begun(work())
    assert begun.is_done
    assert begun.result == 7
    assert await begun == 7


async def test_the_rest_is_awaited() -> None:
    steps: list[str] = []
    loop = asyncio.get_running_loop()

    async def work() -> str:
        steps.append("begun")
        future: asyncio.Future[None] = loop.create_future()
        loop.call_soon(future.set_exception, LookupError("gone"))
        with pytest.raises(LookupError):
            await future
        await asyncio.sleep(0)
        return "done"

    begun = Begun(work())
    assert steps == ["begun"]
    assert not begun.is_done
    async with asyncio.timeout(5):
        assert await begun == "done"


async def test_time_can_be_over() -> None:
    begun = Begun(asyncio.sleep(60))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await begun


async def test_failures_are_raised() -> None:
    async def at_once() -> None:
        raise LookupError("now")

    async def later() -> None:
        await asyncio.sleep(0)
        raise LookupError("later")

    with pytest.raises(LookupError, match="now"):
        Begun(at_once())
    with pytest.raises(LookupError, match="later"):
        await Begun(later())
