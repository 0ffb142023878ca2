"""Use case: an author deletes a post."""

from __future__ import annotations

from db import outbox, posts
from db.outbox import OutboxKind
from domain.errors import RefusalCode, refused
from domain.records import Visibility
from services.backends import Backends


async def delete_post(backends: Backends, *, author_id: int, post_id: int) -> None:
    """Gone for everybody at the next read; timelines drop it later. Raises RefusedError NOT_FOUND, also for others' posts."""
    async with backends.database.writing() as session:
        post = await posts.lock_own_post(session, post_id, author_id=author_id)
        if post is None:
            raise refused(RefusalCode.NOT_FOUND, "there is no such post", "postId")
        await posts.mark_post_deleted(session, post_id)
        if post.visibility is Visibility.PUBLIC:
            await posts.add_to_post_count(session, author_id, -1)
        await outbox.insert_event(session, OutboxKind.POST_DELETED, author_id=author_id, post_id=post_id)
    backends.relay_bell.ring()
