from __future__ import annotations

import asyncio

from services.fan_out import turns as turns_module
from services.fan_out.turns import Turns


async def test_a_large_job_waits_until_the_last_small_one_has_ended() -> None:
    turns, order = Turns(), []

    async def small(name: str, gate: asyncio.Event) -> None:
        with turns.small():
            await gate.wait()
            order.append(name)

    async def large() -> None:
        while not order or order[-1] != "second":
            await turns.give_way()
        order.append("large")

    first, second = asyncio.Event(), asyncio.Event()
    jobs = [asyncio.create_task(small("first", first)), asyncio.create_task(small("second", second))]
    await asyncio.sleep(0)
    jobs.append(asyncio.create_task(large()))
    first.set()
    await asyncio.sleep(0)
    second.set()
    await asyncio.gather(*jobs)
    assert order == ["first", "second", "large"]


async def test_it_waits_for_no_one_for_ever() -> None:
    turns = Turns()
    with turns.small():
        async with asyncio.timeout(100 * turns_module.GIVE_WAY_SECONDS):
            await turns.give_way()
    await turns.give_way()
