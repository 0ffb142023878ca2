"""Use case: what people say under a post, newest first."""

from __future__ import annotations

from db.comments import load_comments_of_post
from domain.comments import CommentFacts, can_see_comment
from domain.cursors import CursorScope
from domain.paging import Connection, PageRequest
from services.backends import Backends
from services.page_by_id import open_below, page_by_id


def comments_scope(post_id: int, viewer_id: int | None) -> CursorScope:
    """What cursors of a post's comments are bound to."""
    return CursorScope(f"post.comments:{post_id}", viewer_id)


async def list_comments(
    backends: Backends, *, root_id: int, viewer_id: int | None, page: PageRequest
) -> Connection[CommentFacts]:
    """Those that the viewer may see, under a post that the viewer may see. Raises InvalidCursorError."""
    scope = comments_scope(root_id, viewer_id)
    start = open_below(backends, scope, page)
    async with backends.database.at_once() as session:

        async def fetch(below_id: int, size: int) -> list[tuple[int, CommentFacts | None]]:
            rows = await load_comments_of_post(session, root_id, viewer_id=viewer_id, below_id=below_id, size=size)
            return [(facts.comment.id, facts if can_see_comment(facts, viewer_id=viewer_id) else None) for facts in rows]

        return await page_by_id(backends, scope, page, start=start, fetch=fetch)
