"""Use case: an operation is charged before anything of it is done, over whichever transport it came."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum

from domain.limits import ANONYMOUS, MUTATION, MUTATIONS, QUERIES, QUERY, SUBSCRIPTION, Budget, BudgetLeft, Charge
from services.protection.budgets import Budgets


class OperationKind(StrEnum):
    """What an operation is; the values are GraphQL's."""

    QUERY = "query"
    MUTATION = "mutation"
    SUBSCRIPTION = "subscription"


_WHOLE = {OperationKind.QUERY: QUERY, OperationKind.MUTATION: MUTATION, OperationKind.SUBSCRIPTION: SUBSCRIPTION}
_BY_FIELD: dict[OperationKind, Mapping[str, Budget]] = {
    OperationKind.QUERY: QUERIES,
    OperationKind.MUTATION: MUTATIONS,
    OperationKind.SUBSCRIPTION: {},
}


async def charge_operation(
    budgets: Budgets, *, kind: OperationKind, root_fields: Mapping[str, int], subject: str | None, address: str | None
) -> list[BudgetLeft]:
    """What is left to the caller of the operation's own budgets. Raises RateLimitedError: nothing was charged.

    `root_fields`: how often each is asked for. `subject`: of a verified token, None without one. `address`: as
    `app.client_address` gives it, None where it is unknown.
    """
    cost = max(1, sum(root_fields.values()))
    if subject is None:
        await budgets.charge([_charge(f"a{address or ''}", ANONYMOUS, cost)])
        return []
    # Subjects may be long, and are nobody's business who lists keys.
    person = "u" + hashlib.blake2b(subject.encode(), digest_size=12).hexdigest()
    whole, by_field = _WHOLE[kind], _BY_FIELD[kind]
    own = [_charge(person, by_field[name], count) for name, count in root_fields.items() if name in by_field]
    own.append(_charge(person, whole, cost))
    shared = [_charge(f"a{address}", whole.for_address(), cost)] if address is not None else []
    left = await budgets.charge([*own, *shared])
    return left[: len(own)]


def _charge(owner: str, budget: Budget, cost: int) -> Charge:
    # What is larger than a budget could never be paid: it takes the whole of it.
    return Charge(owner, budget, min(cost, budget.burst))
