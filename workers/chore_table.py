"""Which chores there are."""

from __future__ import annotations

from workers.chores import RegularChore, RungChore


def rung_chores() -> list[RungChore]:
    """Work that a commit may have made."""
    return []


def regular_chores() -> list[RegularChore]:
    """Work that comes round."""
    return []
