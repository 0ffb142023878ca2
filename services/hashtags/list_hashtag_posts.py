"""Use case: the posts that name a hashtag, newest first."""

from __future__ import annotations

from db.hashtags import load_posts_by_hashtag
from domain.cursors import CursorScope
from domain.paging import Connection, PageRequest
from domain.records import VisiblePost
from services.backends import Backends
from services.page_by_id import open_below, page_by_id
from services.posts.load_visible_posts import only_visible


async def list_hashtag_posts(
    backends: Backends, *, hashtag_id: int, viewer_id: int | None, page: PageRequest
) -> Connection[VisiblePost]:
    """A full page of those that the viewer may see, as long as there are any. Raises InvalidCursorError."""
    scope = CursorScope(f"hashtag.posts:{hashtag_id}", viewer_id)
    start = open_below(backends, scope, page)

    async with backends.database.at_once() as session:

        async def fetch(below_id: int, size: int) -> list[tuple[int, VisiblePost | None]]:
            rows = await load_posts_by_hashtag(session, hashtag_id, viewer_id=viewer_id, below_id=below_id, size=size)
            return [(facts.post.id, only_visible(facts, viewer_id=viewer_id)) for facts in rows]

        return await page_by_id(backends, scope, page, start=start, fetch=fetch)
