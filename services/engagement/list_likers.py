"""Use case: who likes a post, newest first."""

from __future__ import annotations

from db.engagement import load_likers
from domain.cursors import CursorScope
from domain.paging import Connection, PageRequest
from domain.records import UserRecord
from domain.visibility import can_be_listed
from services.backends import Backends
from services.page_by_time import Since, open_since, page_by_time


async def list_likers(backends: Backends, *, root_id: int, viewer_id: int | None, page: PageRequest) -> Connection[UserRecord]:
    """Those who may be listed for the viewer, of a post that the viewer may see. Raises InvalidCursorError."""
    scope = CursorScope(f"post.likers:{root_id}", viewer_id)
    start = open_since(backends, scope, page)
    async with backends.database.at_once() as session:

        async def fetch(below: Since, size: int) -> list[tuple[Since, UserRecord | None]]:
            rows = await load_likers(session, root_id, viewer_id=viewer_id, below=below, size=size)
            return [
                ((since, user.id), user if can_be_listed(user, relation, viewer_id=viewer_id) else None)
                for since, user, relation in rows
            ]

        return await page_by_time(backends, scope, page, start=start, fetch=fetch)
