"""What people and addresses may do, charged where it is done."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from cache.rate_limits import Exhausted, RateLimits
from domain.errors import CacheUnavailableError, RateLimitedError
from domain.limits import MICROSECONDS, BudgetLeft, Charge
from services.observer import Observer
from services.protection.local_budgets import LocalBudgets


class Budgets:
    """The budgets as one process charges them.

    While Redis is away nobody is shut out: a lost Redis costs time, not service. So that an attacker who brings it down gains
    nothing, each process then admits a part of every budget by its own count.
    """

    def __init__(self, shared: RateLimits, observer: Observer) -> None:
        self._shared = shared
        self._local = LocalBudgets()
        self._observer = observer

    async def charge(self, charges: Sequence[Charge]) -> list[BudgetLeft]:
        """Charges all of them or none; what is left of each. Raises RateLimitedError."""
        try:
            answer = await self._shared.take(charges)
        except CacheUnavailableError:
            answer = self._local.take(charges)
        if isinstance(answer, Exhausted):
            name = answer.charge.budget.name
            self._observer.budget_was_exhausted(budget=name)
            raise RateLimitedError(name, max(1, ceil(answer.wait_us / MICROSECONDS)))
        return answer
