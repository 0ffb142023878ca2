"""Which chores there are. Actors are imported on first use: binding them to a broker needs its address."""

from __future__ import annotations

from services.engagement.flush_counters import waiting_seconds as counters_wait
from services.media.collect_media import collectable_seconds
from services.media.process_upload import waiting_seconds as uploads_wait
from services.notifications.process_activities import waiting_seconds as activities_wait
from workers.chores import RegularChore, RungChore

FORGET_KEYS_SECONDS = 300.0


def rung_chores() -> list[RungChore]:
    """Work that a commit may have made."""
    from workers import counters, media, notifications

    return [
        RungChore("counters.flush", counters_wait, counters.flush.send),
        RungChore("notifications.process_due", activities_wait, notifications.process_due.send),
        RungChore("media.process_uploads", uploads_wait, media.process_uploads.send),
        RungChore("media.collect", collectable_seconds, media.collect.send),
    ]


def regular_chores() -> list[RegularChore]:
    """Work that comes round."""
    from workers import counters, discovery, media, upkeep

    return [
        RegularChore("counters.sweep", counters.SWEEP_EVERY_SECONDS, counters.sweep.send),
        RegularChore("discovery.refresh_trends", discovery.TRENDS_SECONDS, discovery.refresh_trends.send),
        RegularChore("discovery.refresh_popular_accounts", discovery.POPULAR_SECONDS, discovery.refresh_popular_accounts.send),
        RegularChore("media.sweep", media.SWEEP_EVERY_SECONDS, media.sweep.send),
        RegularChore("upkeep.forget_keys", FORGET_KEYS_SECONDS, upkeep.forget_keys.send),
    ]
