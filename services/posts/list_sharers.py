"""Use case: who has passed a post on without words, newest first."""

from __future__ import annotations

from db.shares import load_sharers
from domain.cursors import CursorScope
from domain.paging import Connection, PageRequest
from domain.records import UserRecord
from domain.visibility import can_see_posts_of
from services.backends import Backends
from services.page_by_id import open_below, page_by_id


async def list_sharers(backends: Backends, *, root_id: int, viewer_id: int | None, page: PageRequest) -> Connection[UserRecord]:
    """Those whose share the viewer may see: a private account's is for its followers. Raises InvalidCursorError."""
    scope = CursorScope(f"post.sharers:{root_id}", viewer_id)
    start = open_below(backends, scope, page)
    async with backends.database.at_once() as session:

        async def fetch(below_id: int, size: int) -> list[tuple[int, UserRecord | None]]:
            rows = await load_sharers(session, root_id, viewer_id=viewer_id, below_id=below_id, size=size)
            return [
                (share_id, user if can_see_posts_of(user, relation, viewer_id=viewer_id) else None)
                for share_id, user, relation in rows
            ]

        return await page_by_id(backends, scope, page, start=start, fetch=fetch)
