"""Use case: the posts that name a hashtag, newest first."""

from __future__ import annotations

from db.hashtags import load_posts_by_hashtag
from domain.cursors import CursorScope
from domain.ids import MAX_ID
from domain.paging import Connection, Edge, PageInfo, PageRequest
from domain.records import VisiblePost
from services.backends import Backends
from services.fill_page import fill_page
from services.posts.load_visible_posts import only_visible


async def list_hashtag_posts(
    backends: Backends, *, hashtag_id: int, viewer_id: int | None, page: PageRequest
) -> Connection[VisiblePost]:
    """A full page of those that the viewer may see, as long as there are any. Raises InvalidCursorError."""
    scope = CursorScope(f"hashtag.posts:{hashtag_id}", viewer_id)
    start = backends.sealer.open_ids(scope, page.cursor)[0] if page.cursor is not None else MAX_ID

    async with backends.database.reading() as session:

        async def fetch(below_id: int, size: int) -> list[tuple[int, VisiblePost | None]]:
            rows = await load_posts_by_hashtag(session, hashtag_id, viewer_id=viewer_id, below_id=below_id, size=size)
            return [(facts.post.id, only_visible(facts, viewer_id=viewer_id)) for facts in rows]

        filled = await fill_page(fetch, start=start, size=page.size)
    edges = [Edge(backends.sealer.seal_ids(scope, post_id), post) for post_id, post in filled.items]
    return Connection(
        edges,
        PageInfo(
            has_next_page=filled.has_more,
            has_previous_page=page.cursor is not None,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=backends.sealer.seal_ids(scope, filled.end) if filled.end is not None else page.cursor,
        ),
    )
