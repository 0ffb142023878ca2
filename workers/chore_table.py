"""Which chores there are."""

from __future__ import annotations

from workers.chores import RegularChore, RungChore
from workers.media import media_regular_chores, media_rung_chores


def rung_chores() -> list[RungChore]:
    """Work that a commit may have made."""
    return [*media_rung_chores()]


def regular_chores() -> list[RegularChore]:
    """Work that comes round."""
    return [*media_regular_chores()]
