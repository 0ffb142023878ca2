"""Use case: a change of who follows whom is charged, beyond what the operation costs."""

from __future__ import annotations

from datetime import UTC, datetime

from domain.ids import created_at_of
from domain.limits import FOLLOW_CHURN, NEWCOMER_FOLLOW, NEWCOMER_SECONDS, Charge
from services.backends import Backends


async def charge_follow_change(backends: Backends, *, follower_id: int, followee_id: int, begins: bool) -> None:
    """Call it in the transaction that changes something: what changes nothing costs nothing, however often it is sent.

    `begins`: whether a follow, or a request, comes into being. Raises RateLimitedError, upon which nothing is changed.
    """
    if backends.budgets is None:
        return
    charges = [Charge(f"f{follower_id}-{followee_id}", FOLLOW_CHURN)]
    if begins and (datetime.now(UTC) - created_at_of(follower_id)).total_seconds() < NEWCOMER_SECONDS:
        charges.append(Charge(f"n{follower_id}", NEWCOMER_FOLLOW))
    await backends.budgets.charge(charges)
