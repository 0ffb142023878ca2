"""Which chores there are."""

from __future__ import annotations

from services.engagement.flush_counters import waiting_seconds
from workers.chores import RegularChore, RungChore


def rung_chores() -> list[RungChore]:
    """Work that a commit may have made."""
    # Imported here, on first use: binding actors to a broker needs its address.
    from workers import counters

    return [RungChore("counters.flush", waiting_seconds, counters.flush.send)]


def regular_chores() -> list[RegularChore]:
    """Work that comes round."""
    from workers import counters, upkeep

    return [
        RegularChore("counters.sweep", counters.SWEEP_EVERY_SECONDS, counters.sweep.send),
        RegularChore("upkeep.forget_keys", upkeep.FORGET_KEYS_EVERY_SECONDS, upkeep.forget_keys.send),
    ]
