"""Use cases: the viewer's notifications, and those that are asked for by id."""

from __future__ import annotations

from collections.abc import Iterable

from db.notifications import load_by_ids, load_page
from domain.cursors import CursorScope
from domain.notifications import NotificationRecord
from domain.paging import Connection, PageRequest
from services.backends import Backends
from services.notifications.judge_groups import judge_groups
from services.page_by_id import open_below, page_by_id


async def list_notifications(backends: Backends, *, viewer_id: int, page: PageRequest) -> Connection[NotificationRecord]:
    """Whatever is shown, newest place first. A group that somebody joins meanwhile moves up. Raises InvalidCursorError."""
    scope = CursorScope("notifications", viewer_id)
    start = open_below(backends, scope, page)
    async with backends.database.at_once() as session:

        async def fetch(below_place: int, size: int) -> list[tuple[int, NotificationRecord | None]]:
            rows = await load_page(session, viewer_id, below_place=below_place, size=size)
            shown = await judge_groups(session, rows)
            return [(row.place, shown.get(row.id)) for row in rows]

        return await page_by_id(backends, scope, page, start=start, fetch=fetch)


async def load_notifications(backends: Backends, ids: Iterable[int], *, viewer_id: int) -> dict[int, NotificationRecord]:
    """By id; those of others are missing, like those that are not shown or do not exist."""
    async with backends.database.at_once() as session:
        return await judge_groups(session, await load_by_ids(session, list(ids), recipient_id=viewer_id))
