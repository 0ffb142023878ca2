"""Which chores there are. Actors are imported on first use: binding them to a broker needs its address."""

from __future__ import annotations

from services.engagement.flush_counters import waiting_seconds as counters_wait
from services.notifications.process_activities import waiting_seconds as activities_wait
from workers.chores import RegularChore, RungChore

FORGET_KEYS_SECONDS = 300.0


def rung_chores() -> list[RungChore]:
    """Work that a commit may have made."""
    from workers import counters, notifications

    return [
        RungChore("counters.flush", counters_wait, counters.flush.send),
        RungChore("notifications", activities_wait, notifications.process_due.send),
    ]


def regular_chores() -> list[RegularChore]:
    """Work that comes round."""
    from workers import counters, upkeep

    return [
        RegularChore("counters.sweep", counters.SWEEP_EVERY_SECONDS, counters.sweep.send),
        RegularChore("upkeep.forget_keys", FORGET_KEYS_SECONDS, upkeep.forget_keys.send),
    ]
