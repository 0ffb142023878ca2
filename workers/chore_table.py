"""Which chores there are."""

from __future__ import annotations

from workers.chores import RegularChore, RungChore
from workers.upkeep import send_forget_keys

FORGET_KEYS_SECONDS = 300.0


def rung_chores() -> list[RungChore]:
    """Work that a commit may have made."""
    return []


def regular_chores() -> list[RegularChore]:
    """Work that comes round."""
    return [RegularChore("forget_idempotency_keys", FORGET_KEYS_SECONDS, send_forget_keys)]
