"""Use case: a moderator finds nothing wrong with a reported post."""

from __future__ import annotations

from db.reports import close_reports
from domain.ids import MAX_ID
from services.backends import Backends


async def dismiss_reports(backends: Backends, *, post_id: int) -> int:
    """Closes the reports of a post, which stays; how many were open. Who has reported it before is not heard again."""
    if not 0 <= post_id <= MAX_ID:
        return 0
    async with backends.database.writing() as session:
        return await close_reports(session, post_id)
