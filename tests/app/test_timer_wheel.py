"""One timer for many things."""

from __future__ import annotations

import asyncio

from app.timer_wheel import TICK_SECONDS, TimerWheel


class Thing:
    """Remembers when it was looked at, and wants what it is told to want."""

    def __init__(self, *wishes: float) -> None:
        self.box = 0
        self.looks: list[float] = []
        self._wishes = list(wishes)

    def look(self, now: float) -> float | None:
        self.looks.append(now)
        return now + self._wishes.pop(0) if self._wishes else None


class FaultyThing(Thing):
    def look(self, now: float) -> float | None:
        super().look(now)
        raise RuntimeError("on purpose")


async def until_looked_at(thing: Thing, times: int = 1) -> None:
    async with asyncio.timeout(10):
        while len(thing.looks) < times:
            await asyncio.sleep(0.01)


async def test_things_are_looked_at_when_they_are_due_and_never_before() -> None:
    wheel, now = TimerWheel(), asyncio.get_running_loop().time()
    soon, later, never, long_ago = Thing(), Thing(), Thing(), Thing()
    wheel.put(later, now + 3 * TICK_SECONDS)
    wheel.put(soon, now + TICK_SECONDS)
    wheel.put(never, now + TICK_SECONDS)
    wheel.put(long_ago, now - 100)
    wheel.drop(never)
    await until_looked_at(later)
    assert soon.looks[0] >= now + TICK_SECONDS
    assert later.looks[0] >= now + 3 * TICK_SECONDS
    assert len(soon.looks) == len(later.looks) == len(long_ago.looks) == 1
    assert never.looks == []


async def test_a_thing_stands_in_one_place_and_comes_again_when_it_wants_to() -> None:
    wheel, now = TimerWheel(), asyncio.get_running_loop().time()
    thing = Thing(TICK_SECONDS)
    wheel.put(thing, now + 1_000)
    wheel.hasten(thing, now + TICK_SECONDS)
    wheel.hasten(thing, now + 500)
    await until_looked_at(thing, 2)
    assert thing.looks[1] - thing.looks[0] >= TICK_SECONDS
    assert thing.box == 0


async def test_a_fault_of_one_concerns_no_other() -> None:
    wheel, now = TimerWheel(), asyncio.get_running_loop().time()
    faulty, good = FaultyThing(), Thing(0.0)
    wheel.put(faulty, now)
    wheel.put(good, now)
    await until_looked_at(good, 2)
    assert len(faulty.looks) == 1


async def test_nothing_is_armed_while_nobody_waits() -> None:
    wheel, now = TimerWheel(), asyncio.get_running_loop().time()
    thing = Thing()
    wheel.put(thing, now)
    await until_looked_at(thing)
    assert wheel._handle is None
    wheel.put(thing, now)
    await until_looked_at(thing, 2)
