"""The queues and who goes first."""

from __future__ import annotations

from datetime import timedelta

from services.fan_out.turns import LARGE_FROM

FAST = "fan_out"
"""Posts of ordinary authors: done in milliseconds."""
BULK = "fan_out_bulk"
"""Posts of authors with many followers, in slices, and what is left of a job whose time was up."""

NOTIFICATIONS = "notifications"
"""Batches of what people did: who is told of it, and what the ranking learns."""
COUNTERS = "counters"
"""What people did, added to the counters of posts."""
MEDIA = "media"
"""Pictures to clean, and what is to be thrown away."""
DISCOVERY = "discovery"
"""Trends and popular accounts, computed anew."""
UPKEEP = "upkeep"
"""What nobody waits for."""

FAST_PRIORITY = 0
BULK_PRIORITY = 10
COUNTERS_PRIORITY = 20
NOTIFICATIONS_PRIORITY = 20
DISCOVERY_PRIORITY = 30
MEDIA_PRIORITY = 30
UPKEEP_PRIORITY = 100
"""A higher number waits longer."""

BULK_FOLLOWERS = LARGE_FROM
"""From so many followers on, a post goes to the bulk queue at once."""

TIME_LIMIT = timedelta(seconds=6)
"""Well below the lease, so that a job that hangs has ended before the row is sent again."""
FAN_OUT = frozenset({FAST, BULK})
CHORES = frozenset({NOTIFICATIONS, COUNTERS, MEDIA, DISCOVERY, UPKEEP})
"""Served by threads of their own: however many pictures wait, posts do not wait behind them."""
FAN_OUT_POLL_MS = 50
"""Longest that an idle worker does not look without being rung (`workers/queue_bell.py`): what a lost ring costs."""
CHORES_POLL_MS = 200
"""The same for chores. Each queue is asked twice in each of these: five queues at 20 ms were a fifth of a core, for nothing."""
CHORE_THREADS = 4
HEARTBEAT_TIMEOUT_MS = 5_000
MAINTENANCE_CHANCE = 20_000
"""Of a million commands: with the library's defaults the messages of a killed worker come back after minutes."""
