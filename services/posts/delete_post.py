"""Use case: an author deletes a post."""

from __future__ import annotations

from services.backends import Backends
from services.posts.lock_own_post import lock_own_post
from services.posts.remove_post import remove_post_in, ring_for_removed


async def delete_post(backends: Backends, *, author_id: int, post_id: int) -> None:
    """Gone for everybody at the next read; timelines drop it later. Raises RefusedError NOT_FOUND, also for others' posts."""
    async with backends.database.writing() as session:
        post = await lock_own_post(session, post_id, author_id=author_id)
        await remove_post_in(session, post)
    ring_for_removed(backends, post)
