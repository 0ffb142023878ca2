"""Budgets of people and addresses in Redis, charged by its clock.

All budgets of an operation are charged in one step or not at all, so no number of parallel requests gets more than there is.
What arrives while a question is under way goes with the next one: under load many operations share a round trip.
Nothing here is worth keeping: lost, everybody's budget is full again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from cache import keys
from cache.client import RedisClient
from cache.scripts import source
from domain.errors import CacheUnavailableError
from domain.limits import BudgetLeft, Charge

_AT_A_TIME = 100
"""Operations in one script: it runs for less than a millisecond."""


@dataclass(frozen=True, slots=True)
class Exhausted:
    """Nothing was charged: `charge` does not suffice for another `wait_us` microseconds."""

    charge: Charge
    wait_us: int


Answer = list[BudgetLeft] | Exhausted


class RateLimits:
    """The budgets of all processes, as one of them charges them."""

    def __init__(self, client: RedisClient) -> None:
        self._take = client.hot_script(source("take_budgets"))
        self._waiting: list[tuple[Sequence[Charge], asyncio.Future[Answer]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def take(self, charges: Sequence[Charge]) -> Answer:
        """Charges all of them or none; what is left of each, in their order. No two may be of one owner and budget.

        Raises CacheUnavailableError where Redis does not answer in time.
        """
        if not charges:
            return []
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((charges, answer))
        if self._asking is None:
            self._asking = loop.create_task(self._ask(), name="rate-limits")
        return await answer

    async def close(self) -> None:
        """Gives up what is still under way."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait((self._asking,), timeout=0.3)

    async def _ask(self) -> None:
        """Until nobody waits."""
        batch: list[tuple[Sequence[Charge], asyncio.Future[Answer]]] = []
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_AT_A_TIME], self._waiting[_AT_A_TIME:]
                # Who has gone away meanwhile is not charged.
                batch = [(charges, answer) for charges, answer in batch if not answer.done()]
                try:
                    answers = await self._take_all([charges for charges, _ in batch])
                except CacheUnavailableError as failure:
                    for _, answer in batch:
                        _fail(answer, failure)
                    continue
                for (_, answer), found in zip(batch, answers, strict=True):
                    if not answer.done():
                        answer.set_result(found)
        finally:
            self._asking = None
            for _, answer in (*batch, *self._waiting):
                _fail(answer, CacheUnavailableError("the question was given up"))

    async def _take_all(self, operations: Sequence[Sequence[Charge]]) -> list[Answer]:
        if not operations:
            return []
        names = [keys.budget(charge.account) for charges in operations for charge in charges]
        arguments: list[str | int | bytes] = [len(operations), *map(len, operations)]
        for charges in operations:
            for charge in charges:
                arguments += (charge.cost * charge.budget.interval_us, charge.budget.capacity_us)
        replies = await self._take(keys=names, args=arguments)
        return [_read(charges, reply) for charges, reply in zip(operations, replies, strict=True)]


def _read(charges: Sequence[Charge], reply: Sequence[int]) -> Answer:
    first, *rest = reply
    if first:
        return Exhausted(charges[rest[0] - 1], first)
    return [BudgetLeft.after(charge.budget, used) for charge, used in zip(charges, rest, strict=True)]


def _fail(answer: asyncio.Future[Answer], failure: CacheUnavailableError) -> None:
    if not answer.done():
        answer.set_exception(failure)
        answer.exception()  # retrieved: whoever asked may be on its way out
