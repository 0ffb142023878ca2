"""Tests of the watchdog: what is late is refused from outside, and whoever is in time does not hear of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from app.watchdog import Watchdog, Watched
from tests.app.test_deadline import Stubborn


class Asked(Watched):
    """Notes when it was refused."""

    def __init__(self, *, refusal_seconds: float = 0.0) -> None:
        super().__init__()
        self.refused_at: float | None = None
        self._refusal_seconds = refusal_seconds

    async def refuse(self) -> None:
        await asyncio.sleep(self._refusal_seconds)
        self.refused_at = time.monotonic()


async def answer(watchdog: Watchdog, asked: Asked, work: Callable[[], Awaitable[str]]) -> str:
    """What an endpoint does."""
    watchdog.watch(asked)
    try:
        result = await work()
    except asyncio.CancelledError:
        if not asked.is_over:
            raise
        result = "nothing"
    finally:
        watchdog.release(asked)
    if asked.is_over:
        await asked.refused()
        return "refused"
    return result


async def test_what_is_in_time_is_left_alone() -> None:
    watchdog = Watchdog(0.1)

    async def quick() -> str:
        await asyncio.sleep(0.01)
        return "done"

    async def failing() -> str:
        await asyncio.sleep(0)
        raise LookupError("as it is")

    asked = [Asked() for _ in range(5)]
    assert await asyncio.gather(*(answer(watchdog, each, quick) for each in asked)) == ["done"] * 5
    with pytest.raises(LookupError, match="as it is"):
        await answer(watchdog, failed := Asked(), failing)
    await asyncio.sleep(0.2)
    assert not any(each.is_over for each in [*asked, failed])


async def test_late_work_is_cancelled_and_refused_before_it_ends() -> None:
    watchdog, asked, stubborn = Watchdog(0.05), Asked(), Stubborn(cleanup_seconds=0.5)
    began = time.monotonic()
    assert await answer(watchdog, asked, stubborn.work) == "refused"
    assert asked.refused_at is not None
    assert asked.refused_at - began < 0.4
    assert stubborn.has_ended.is_set()


async def test_the_end_waits_for_a_slow_refusal() -> None:
    watchdog, asked, stubborn = Watchdog(0.05), Asked(refusal_seconds=0.2), Stubborn(cleanup_seconds=0)
    assert await answer(watchdog, asked, stubborn.work) == "refused"
    assert asked.refused_at is not None


async def test_each_has_its_own_time() -> None:
    watchdog = Watchdog(0.1)
    began = time.monotonic()

    async def after(seconds: float) -> Asked:
        await asyncio.sleep(seconds)
        asked = Asked()
        assert await answer(watchdog, asked, Stubborn(cleanup_seconds=0).work) == "refused"
        return asked

    late = await asyncio.gather(*(after(seconds) for seconds in (0.0, 0.06, 0.12, 0.3)))
    for asked, seconds in zip(late, (0.0, 0.06, 0.12, 0.3), strict=True):
        assert asked.refused_at is not None
        assert seconds + 0.1 - 0.01 <= asked.refused_at - began < seconds + 0.2


def _give(ready: asyncio.Future[str]) -> None:
    if not ready.done():
        ready.set_result("ready")


@pytest.mark.parametrize("blocked_seconds", [0.0, 0.04])
async def test_an_answer_that_is_ready_about_when_it_is_refused_is_given_once(blocked_seconds: float) -> None:
    """Whatever falls together: each has one answer, and its task can go on. Blocked: all of it is due at the same time."""
    given = []
    loop = asyncio.get_running_loop()
    for milliseconds in range(30, 71, 2):
        watchdog, asked = Watchdog(0.05), Asked()
        ready: asyncio.Future[str] = loop.create_future()
        loop.call_later(milliseconds / 1_000, _give, ready)
        loop.call_later(0.03, time.sleep, blocked_seconds)

        async def work(ready: asyncio.Future[str] = ready) -> str:
            return await ready

        given.append(await answer(watchdog, asked, work))
        await asyncio.sleep(0.05)
        assert (asked.refused_at is not None) == asked.is_over == (given[-1] == "refused")
    assert {"ready", "refused"} == set(given)


async def test_what_swallows_the_cancellation_is_refused_all_the_same() -> None:
    async def work() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)
        return "after all"

    assert await answer(Watchdog(0.05), asked := Asked(), work) == "refused"
    assert asked.refused_at is not None


async def test_whoever_ends_the_task_ends_it() -> None:
    watchdog, asked = Watchdog(5), Asked()
    task = asyncio.create_task(answer(watchdog, asked, Stubborn(cleanup_seconds=0).work))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not asked.is_over


async def test_the_end_waits_a_little_for_what_is_on_its_way_out() -> None:
    watchdog = Watchdog(0.03)
    late, cut_off = Stubborn(cleanup_seconds=0.2), Stubborn(cleanup_seconds=0.2)
    tasks = [asyncio.create_task(answer(watchdog, Asked(), late.work))]
    await asyncio.sleep(0.06)
    tasks.append(asyncio.create_task(answer(watchdog, Asked(), cut_off.work)))
    await asyncio.sleep(0.01)
    tasks[1].cancel()
    await watchdog.close(timeout_seconds=5)
    assert late.has_ended.is_set()
    assert cut_off.has_ended.is_set()
    began = time.monotonic()
    endless = asyncio.create_task(answer(watchdog, Asked(), Stubborn(cleanup_seconds=0).work))
    await asyncio.sleep(0)
    await watchdog.close(timeout_seconds=0.1)
    assert time.monotonic() - began < 1
    endless.cancel()
    await asyncio.gather(*tasks, endless, return_exceptions=True)
