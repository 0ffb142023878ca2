"""Who comes in when many come at once."""

from __future__ import annotations

import asyncio

import pytest

from app import admission
from app.admission import Admission


class Guest:
    def __init__(self, entered: list[Guest]) -> None:
        self._entered = entered

    def come_in(self) -> None:
        self._entered.append(self)


def crowd(size: int) -> tuple[list[Guest], list[Guest]]:
    entered: list[Guest] = []
    return [Guest(entered) for _ in range(size)], entered


async def test_some_at_a_time_in_the_order_of_their_coming() -> None:
    gate = Admission(at_a_time=2)
    guests, entered = crowd(5)
    assert all(gate.arrive(guest) for guest in guests)
    assert entered == guests[:2]
    gate.withdraw(guests[2])
    gate.leave()
    assert entered == [guests[0], guests[1], guests[3]]
    gate.leave()
    gate.leave()
    assert entered == [guests[0], guests[1], guests[3], guests[4]]
    assert gate.waiting == 0


async def test_who_has_signed_in_goes_before_arrivals() -> None:
    gate = Admission(at_a_time=1)
    guests, entered = crowd(4)
    gate.arrive(guests[0])
    gate.arrive(guests[1])
    gate.ask(guests[2])
    gate.ask(guests[3])
    gate.withdraw(guests[3])
    gate.leave()
    gate.leave()
    assert entered == [guests[0], guests[2], guests[1]]


async def test_arrivals_have_a_rate() -> None:
    gate = Admission(at_a_time=1_000, per_second=200.0)
    guests, entered = crowd(int(admission.BURST_ARRIVALS) + 20)
    clock = asyncio.get_running_loop().time
    began = clock()
    for guest in guests:
        gate.arrive(guest)
    async with asyncio.timeout(10):
        while len(entered) < len(guests):
            await asyncio.sleep(0.01)
            assert len(entered) <= admission.BURST_ARRIVALS + (clock() - began) * 200
    assert entered == guests


async def test_too_many_are_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "MAX_WAITING", 3)
    gate = Admission(at_a_time=0)
    guests, _ = crowd(4)
    assert [gate.arrive(guest) for guest in guests] == [True, True, True, False]
