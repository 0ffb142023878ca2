"""Budgets of people and addresses, and texts that were published: one script a question, by the server's clock.

All budgets of an operation are charged in one step or not at all, so no number of parallel requests gets more than there is.
Nothing here is worth keeping: lost, everybody's budget is full again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from cache import keys
from cache.client import RedisClient
from cache.scripts import source
from domain.limits import BudgetLeft, Charge

_TEXTS_KEPT = 1_000
"""Different texts of an account within the window: more than its budgets let it publish."""


@dataclass(frozen=True, slots=True)
class Exhausted:
    """Nothing was charged: `charge` does not suffice for another `wait_us` microseconds."""

    charge: Charge
    wait_us: int


class RateLimits:
    """The budgets of all processes. Methods raise CacheUnavailableError where Redis does not answer in time."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client
        self._take = client.redis.register_script(source("take_budget"))
        self._note_text = client.redis.register_script(source("note_text"))

    async def take(self, charges: Sequence[Charge]) -> list[BudgetLeft] | Exhausted:
        """Charges all of them or none. What is left of each, in their order. No two may be of one owner and budget."""
        if not charges:
            return []
        arguments: list[str | int | bytes] = []
        for charge in charges:
            interval = charge.budget.interval_us
            arguments += (interval, charge.budget.capacity_us, charge.cost * interval)
        names = [keys.budget(charge.account) for charge in charges]
        first, *rest = await self._client.run(self._take(keys=names, args=arguments))
        if first:
            return Exhausted(charges[rest[0] - 1], first)
        return [BudgetLeft.after(charge.budget, used) for charge, used in zip(charges, rest, strict=True)]

    async def note_text(self, author_id: int, *, digest: str, attempt: str, limit: int, window: timedelta) -> bool:
        """Counts a text; False, uncounted, where its author has published it `limit` times within the window.

        `digest` is of the text; `attempt` of what makes two requests the same one, empty where they are always two. Letters and
        digits.
        """
        arguments: list[str | int | bytes] = [digest, attempt, limit, int(window.total_seconds()), _TEXTS_KEPT]
        return bool(await self._client.run(self._note_text(keys=[keys.texts(author_id)], args=arguments)))
