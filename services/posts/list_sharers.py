"""Use case: who has passed a post on without words, newest first."""

from __future__ import annotations

from db.shares import load_sharers
from domain.cursors import CursorScope
from domain.ids import MAX_ID
from domain.paging import Connection, Edge, PageInfo, PageRequest
from domain.records import UserRecord
from domain.visibility import can_see_posts_of
from services.backends import Backends
from services.fill_page import fill_page


async def list_sharers(backends: Backends, *, root_id: int, viewer_id: int | None, page: PageRequest) -> Connection[UserRecord]:
    """Those whose share the viewer may see: a private account's is for its followers. Raises InvalidCursorError."""
    scope = CursorScope(f"post.sharers:{root_id}", viewer_id)
    start = backends.sealer.open_ids(scope, page.cursor)[0] if page.cursor is not None else MAX_ID
    async with backends.database.reading() as session:

        async def fetch(below_id: int, size: int) -> list[tuple[int, UserRecord | None]]:
            rows = await load_sharers(session, root_id, viewer_id=viewer_id, below_id=below_id, size=size)
            return [
                (share_id, user if can_see_posts_of(user, relation, viewer_id=viewer_id) else None)
                for share_id, user, relation in rows
            ]

        filled = await fill_page(fetch, start=start, size=page.size)
    edges = [Edge(backends.sealer.seal_ids(scope, share_id), user) for share_id, user in filled.items]
    return Connection(
        edges,
        PageInfo(
            has_next_page=filled.has_more,
            has_previous_page=page.cursor is not None,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=backends.sealer.seal_ids(scope, filled.end) if filled.end is not None else page.cursor,
        ),
    )
