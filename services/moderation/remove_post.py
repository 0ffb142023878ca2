"""Use case: a moderator removes a post."""

from __future__ import annotations

from db import posts
from db.reports import close_reports
from domain.ids import MAX_ID
from services.backends import Backends
from services.posts.remove_post import remove_post_in, ring_for_removed


async def remove_post(backends: Backends, *, post_id: int) -> bool:
    """What its author's deletion does, also where the author could not, and its reports are closed.

    False where there is no such post (any more)."""
    if not 0 <= post_id <= MAX_ID:
        return False
    async with backends.database.writing() as session:
        found = (await posts.load_posts_for_many(session, [post_id])).get(post_id)
        post = await posts.lock_own_post(session, post_id, author_id=found.author.id) if found is not None else None
        if post is None:
            return False
        await remove_post_in(session, post)
        await close_reports(session, post_id)
    ring_for_removed(backends, post)
    return True
