"""Use case: a moderator looks at what was reported."""

from __future__ import annotations

from db.reports import load_reported_posts
from domain.moderation import ReportedPost
from services.backends import Backends


async def list_reported_posts(backends: Backends, *, is_all: bool, size: int) -> list[ReportedPost]:
    """Posts with open reports, or `is_all` with any, the newest report first. For moderators: nothing is hidden from them."""
    async with backends.database.at_once() as session:
        return await load_reported_posts(session, is_all=is_all, size=size)
