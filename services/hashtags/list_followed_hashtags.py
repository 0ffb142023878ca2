"""Use case: the hashtags that somebody follows, newest first."""

from __future__ import annotations

from db.hashtags import load_followed_hashtags
from domain.cursors import CursorScope
from domain.paging import Connection, PageRequest
from domain.records import HashtagRecord
from services.backends import Backends
from services.page_by_time import Since, open_since, page_by_time


async def list_followed_hashtags(backends: Backends, *, viewer_id: int, page: PageRequest) -> Connection[HashtagRecord]:
    """Raises InvalidCursorError."""
    scope = CursorScope("followed_hashtags", viewer_id)
    start = open_since(backends, scope, page)
    async with backends.database.at_once() as session:

        async def fetch(below: Since, size: int) -> list[tuple[Since, HashtagRecord | None]]:
            rows = await load_followed_hashtags(session, viewer_id, below=below, size=size)
            return [((since, hashtag.id), hashtag) for since, hashtag in rows]

        return await page_by_time(backends, scope, page, start=start, fetch=fetch)
