"""Budgets in Redis: charged whole or not at all, by however many at once."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from cache import keys
from cache.rate_limits import Exhausted, RateLimits
from domain.limits import Budget, BudgetLeft, Charge
from services.backends import Backends

HOURLY = Budget("hourly", 10, 10, 3_600)
WIDE = Budget("wide", 1_000, 1_000, 3_600)
_owners = count()


@pytest.fixture
def owner() -> str:
    """Somebody who has not been charged yet: all tests share one Redis."""
    return f"test{id(_owners)}-{next(_owners)}"


@pytest.fixture
def limits(backends: Backends) -> RateLimits:
    return RateLimits(backends.redis)


def left(answer: list[BudgetLeft] | Exhausted) -> list[int]:
    assert isinstance(answer, list)
    return [one.remaining for one in answer]


async def test_a_burst_and_then_none(limits: RateLimits, owner: str) -> None:
    for remaining in reversed(range(10)):
        answer = await limits.take([Charge(owner, HOURLY)])
        assert left(answer) == [remaining]
        assert isinstance(answer, list)
        assert 0 < answer[0].reset_seconds <= 360 * (10 - remaining)
    refused = await limits.take([Charge(owner, HOURLY)])
    assert isinstance(refused, Exhausted)
    assert refused.charge.budget is HOURLY
    assert 350_000_000 < refused.wait_us <= 360_000_000


async def test_what_is_refused_is_not_charged(limits: RateLimits, owner: str) -> None:
    await limits.take([Charge(owner, HOURLY, 8)])
    first = await limits.take([Charge(owner, HOURLY, 3)])
    second = await limits.take([Charge(owner, HOURLY, 3)])
    assert isinstance(first, Exhausted)
    assert isinstance(second, Exhausted)
    assert second.wait_us <= first.wait_us <= 360_000_000
    assert left(await limits.take([Charge(owner, HOURLY, 2)])) == [0]


async def test_one_that_does_not_suffice_keeps_all_from_being_charged(limits: RateLimits, owner: str) -> None:
    await limits.take([Charge(owner, HOURLY, 10)])
    for order in (1, -1):
        refused = await limits.take([Charge(owner, WIDE, 5), Charge(owner, HOURLY)][::order])
        assert isinstance(refused, Exhausted)
        assert refused.charge.budget is HOURLY
    assert left(await limits.take([Charge(owner, WIDE)])) == [999]


async def test_time_gives_back(limits: RateLimits, owner: str) -> None:
    fast = Budget("fast", 2, 100, 1)
    assert left(await limits.take([Charge(owner, fast, 2)])) == [0]
    await asyncio.sleep(0.05)
    assert left(await limits.take([Charge(owner, fast, 2)])) == [0]


async def test_five_hundred_at_once_get_no_more_than_there_is(backends: Backends, owner: str) -> None:
    limits = RateLimits(backends.redis)
    budget = Budget("narrow", 100, 1, 3_600)
    answers = await asyncio.gather(*(limits.take([Charge(owner, budget), Charge(owner, WIDE)]) for _ in range(500)))
    assert sum(isinstance(answer, list) for answer in answers) == 100
    assert left(await limits.take([Charge(owner, WIDE)])) == [899]


async def test_a_clock_that_was_set_back_locks_nobody_out(backends: Backends, limits: RateLimits, owner: str) -> None:
    key = keys.budget(Charge(owner, HOURLY).account)
    await backends.redis.redis.set(key, 10**18)
    refused = await limits.take([Charge(owner, HOURLY)])
    assert isinstance(refused, Exhausted)
    assert refused.wait_us == 360_000_000
    await backends.redis.redis.set(key, "nonsense")
    assert left(await limits.take([Charge(owner, HOURLY)])) == [9]


async def test_a_budget_that_is_full_again_is_forgotten(backends: Backends, limits: RateLimits, owner: str) -> None:
    await limits.take([Charge(owner, HOURLY)])
    milliseconds = await backends.redis.redis.pttl(keys.budget(Charge(owner, HOURLY).account))
    assert 350_000 < milliseconds <= 360_001


async def test_who_has_gone_away_is_not_charged(limits: RateLimits, owner: str) -> None:
    first = asyncio.create_task(limits.take([Charge(owner, WIDE)]))
    gone = asyncio.create_task(limits.take([Charge(owner, WIDE, 500)]))
    await asyncio.sleep(0)
    gone.cancel()
    assert left(await first) == [999]
    assert left(await limits.take([Charge(owner, WIDE)])) == [998]
