"""Use case: what the viewer keeps for later, newest bookmark first."""

from __future__ import annotations

from db.engagement import load_bookmarked_ids
from domain.cursors import CursorScope
from domain.paging import Connection, PageRequest
from domain.records import VisiblePost
from services.backends import Backends
from services.page_by_time import Since, open_since, page_by_time
from services.posts.load_visible_posts import load_visible_posts_in


async def list_bookmarks(backends: Backends, *, viewer_id: int, page: PageRequest) -> Connection[VisiblePost]:
    """Those posts that the viewer may still see; what is hidden or deleted is not there. Raises InvalidCursorError."""
    scope = CursorScope("bookmarks", viewer_id)
    start = open_since(backends, scope, page)
    async with backends.database.at_once() as session:

        async def fetch(below: Since, size: int) -> list[tuple[Since, VisiblePost | None]]:
            rows = await load_bookmarked_ids(session, viewer_id, below=below, size=size)
            post_ids = [post_id for _, post_id in rows]
            found = await load_visible_posts_in(session, post_ids, viewer_id=viewer_id) if post_ids else {}
            return [((since, post_id), found.get(post_id)) for since, post_id in rows]

        return await page_by_time(backends, scope, page, start=start, fetch=fetch)
