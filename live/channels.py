"""Every pub/sub channel, in one place. No message says anything that a listener relies on: they say where to look."""

from __future__ import annotations

from domain.event_log import SHARED_BELL, VIEWERS_BELL

POST_COUNTS = "tidings:post_counts"
"""The counts of posts have changed: `pack_ids` of the posts."""

NOTIFICATIONS = "tidings:notifications"
"""Somebody has something new to be told: `pack_ids` of the recipients."""

ALL = (VIEWERS_BELL, SHARED_BELL, POST_COUNTS, NOTIFICATIONS)

__all__ = ["ALL", "NOTIFICATIONS", "POST_COUNTS", "SHARED_BELL", "VIEWERS_BELL"]
