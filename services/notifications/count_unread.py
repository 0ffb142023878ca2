"""Use case: how many notifications the viewer has not read."""

from __future__ import annotations

from db.notifications import load_unread
from domain.ids import MAX_ID
from services.backends import Backends
from services.fill_page import MAX_EXAMINED
from services.notifications.judge_groups import judge_groups

MAX_UNREAD = 1_000
"""Counted exactly up to here."""
_FIRST_LOOK = 50


async def count_unread(backends: Backends, *, viewer_id: int) -> int:
    """Those that are shown and lie above what was read; at most MAX_UNREAD, of at most MAX_EXAMINED groups."""
    count = examined = 0
    below, size = MAX_ID, _FIRST_LOOK
    async with backends.database.at_once() as session:
        while count < MAX_UNREAD and examined < MAX_EXAMINED:
            rows = await load_unread(session, viewer_id, below_place=below, size=size)
            count += len(await judge_groups(session, rows))
            examined += len(rows)
            if len(rows) < size:
                break
            below, size = rows[-1].place, MAX_UNREAD
    return min(count, MAX_UNREAD)
