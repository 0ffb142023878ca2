"""Tests of the deadline: what is late is left to itself, and what waits within it is not disturbed."""

from __future__ import annotations

import asyncio
import time

import pytest

from app.deadline import Deadline
from domain.errors import UnavailableError


class Stubborn:
    """Waits for ever, and takes its time to be cancelled."""

    def __init__(self, *, cleanup_seconds: float) -> None:
        self._cleanup_seconds = cleanup_seconds
        self.is_cancelled = False
        self.has_ended = asyncio.Event()

    async def work(self) -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.is_cancelled = True
            await asyncio.sleep(self._cleanup_seconds)
            self.has_ended.set()
            raise
        return "never"


async def test_what_is_in_time_is_handed_on() -> None:
    async def work() -> str:
        await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        return "done"

    async def at_once() -> int:
        return 7

    async def failing() -> str:
        await asyncio.sleep(0)
        raise LookupError("as it is")

    deadline = Deadline(5)
    assert await deadline.run(work()) == "done"
    assert await deadline.run(at_once()) == 7
    with pytest.raises(LookupError, match="as it is"):
        await deadline.run(failing())


async def test_late_work_is_cancelled_and_not_awaited() -> None:
    stubborn = Stubborn(cleanup_seconds=0.5)
    deadline = Deadline(0.05)
    began = time.monotonic()
    with pytest.raises(UnavailableError):
        await deadline.run(stubborn.work())
    assert time.monotonic() - began < 0.4
    await asyncio.sleep(0)
    assert stubborn.is_cancelled
    assert not stubborn.has_ended.is_set()
    current = asyncio.current_task()
    assert current is not None
    assert current.cancelling() == 0, "the request itself was not cancelled"
    await asyncio.sleep(0)  # and goes on
    await deadline.close(timeout_seconds=5)
    assert stubborn.has_ended.is_set()


async def test_what_was_waited_before_counts() -> None:
    with pytest.raises(UnavailableError):
        await Deadline(5).run(asyncio.sleep(3, "late"), spent_seconds=4.99)


async def test_shorter_deadlines_within_the_work_are_its_own() -> None:
    async def work() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(60)
        except TimeoutError:
            await asyncio.sleep(0.01)
            return "went on"
        return "never"

    assert await Deadline(5).run(work()) == "went on"


async def test_a_failing_future_is_the_works_own() -> None:
    loop = asyncio.get_running_loop()

    async def work() -> str:
        future: asyncio.Future[None] = loop.create_future()
        loop.call_soon(future.cancel)
        try:
            await future
        except asyncio.CancelledError:
            return "another's end"
        return "never"

    assert await Deadline(5).run(work()) == "another's end"


async def test_what_fails_while_it_is_awaited_can_be_caught() -> None:
    loop = asyncio.get_running_loop()

    async def work() -> str:
        future: asyncio.Future[None] = loop.create_future()
        loop.call_soon(future.set_exception, LookupError("gone"))
        try:
            await future
        except LookupError as error:
            await asyncio.sleep(0)
            return str(error)
        return "never"

    assert await Deadline(5).run(work()) == "gone"


async def test_whoever_ends_the_request_ends_its_work() -> None:
    stubborn = Stubborn(cleanup_seconds=0)
    deadline = Deadline(5)
    request = asyncio.create_task(deadline.run(stubborn.work()))
    await asyncio.sleep(0.01)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    await deadline.close(timeout_seconds=5)
    assert stubborn.has_ended.is_set()


async def test_late_and_ended_at_the_same_time_is_ended() -> None:
    stubborn = Stubborn(cleanup_seconds=0)
    deadline = Deadline(0.05)
    request = asyncio.create_task(deadline.run(stubborn.work()))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0.02, time.sleep, 0.06)  # both are due when the loop comes back
    asyncio.get_running_loop().call_later(0.05, request.cancel)
    with pytest.raises((asyncio.CancelledError, UnavailableError)):
        await request
    await deadline.close(timeout_seconds=5)
    assert stubborn.has_ended.is_set()


async def test_the_ends_errors_are_nobodys() -> None:
    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise LookupError("while it was cancelled")

    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    deadline = Deadline(0.01)
    with pytest.raises(UnavailableError):
        await deadline.run(work())
    await deadline.close(timeout_seconds=5)
    assert not complaints


@pytest.mark.parametrize("inner_seconds", [0.02, 0.0201, 0.021])
async def test_a_deadline_within_that_is_over_at_the_same_time_is_no_end_of_the_request(inner_seconds: float) -> None:
    """Whichever comes first, it is said in words: a bare cancellation would be nobody's answer."""

    async def work() -> str:
        async with asyncio.timeout(inner_seconds):
            await asyncio.sleep(60)
        return "never"

    loop, deadline = asyncio.get_running_loop(), Deadline(0.02)
    for _ in range(5):
        loop.call_later(0.01, time.sleep, 0.03)  # both are due when the loop comes back
        with pytest.raises((UnavailableError, TimeoutError)):
            await deadline.run(work())
    await deadline.close(timeout_seconds=5)


async def test_children_that_take_their_time_to_end_are_not_awaited() -> None:
    stubborn = [Stubborn(cleanup_seconds=0.5) for _ in range(2)]

    async def work() -> None:
        await asyncio.gather(*(each.work() for each in stubborn))

    deadline, began = Deadline(0.05), time.monotonic()
    with pytest.raises(UnavailableError):
        await deadline.run(work())
    assert time.monotonic() - began < 0.4
    await deadline.close(timeout_seconds=5)
