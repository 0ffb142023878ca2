"""Budgets by one process's own count, for the time that Redis is away."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence

from cache.rate_limits import Exhausted
from domain.limits import MICROSECONDS, BudgetLeft, Charge

_ACCOUNTS_KEPT = 50_000
"""The budget of one that was forgotten is full again."""


class LocalBudgets:
    """The same reckoning as in Redis, on a part of each budget, and forgotten with the process."""

    def __init__(self) -> None:
        self._full_at: OrderedDict[str, int] = OrderedDict()

    def take(self, charges: Sequence[Charge]) -> list[BudgetLeft] | Exhausted:
        """Charges all of them or none."""
        now = int(time.monotonic() * MICROSECONDS)
        used = []
        for charge in charges:
            budget = charge.budget.for_one_process()
            # What is larger than the part waits until all of it is there.
            cost = min(charge.cost * budget.interval_us, budget.capacity_us)
            used.append(max(0, self._full_at.get(charge.account, 0) - now) + cost)
            if used[-1] > budget.capacity_us:
                return Exhausted(charge, used[-1] - budget.capacity_us)
        for charge, amount in zip(charges, used, strict=True):
            self._full_at[charge.account] = now + amount
            self._full_at.move_to_end(charge.account)
        while len(self._full_at) > _ACCOUNTS_KEPT:
            self._full_at.popitem(last=False)
        return [BudgetLeft.after(charge.budget.for_one_process(), amount) for charge, amount in zip(charges, used, strict=True)]
