"""Use case: an author changes a post's text or visibility."""

from __future__ import annotations

from db import posts
from db.activities import note_activity
from db.feed_changes import note_edit
from db.post_hashtags import write_post_hashtags
from domain.activities import ActivityKind
from domain.errors import RefusalCode, refused
from domain.records import PostRecord, Visibility
from services.backends import Backends
from services.posts.check_input import check_body
from services.posts.check_words import check_words
from services.posts.load_visible_posts import load_visible_posts_in
from services.posts.lock_own_post import lock_own_post
from services.posts.resolve_entities import resolve_entities
from services.posts.text_entities import hashtag_names
from services.protection.check_publication import PublicationKind


async def edit_post(
    backends: Backends, *, author_id: int, post_id: int, body: str | None, visibility: Visibility | None
) -> PostRecord:
    """The post in its new state; None leaves a part as it is. In force for everybody at their next read.

    Raises RefusedError: NOT_FOUND for a post that is not the author's (the same answer as for one that does not exist),
    NOT_ALLOWED for a share without words, CONTENT_REJECTED for a text that a rule refuses.
    """
    if body is not None:
        check_body(body)
        # Saved again as it stands, a text is not said again.
        await check_words(backends, PublicationKind.EDIT, author_id=author_id, body=body, idempotency_key=str(post_id))
    async with backends.database.writing() as session:
        before = await lock_own_post(session, post_id, author_id=author_id)
        if before.is_plain_share:
            raise refused(RefusalCode.NOT_ALLOWED, "a share without words cannot be changed", "postId")
        new_visibility = visibility or before.visibility
        text_changed = body is not None and body != before.text
        if not text_changed and new_visibility is before.visibility:
            # Counts that were read while waiting for the lock are those of no instant.
            return (await load_visible_posts_in(session, [post_id], viewer_id=author_id))[post_id].post
        # Timelines leave private posts out when they are rebuilt, so one that becomes visible is delivered (again).
        leaves_private = before.visibility is Visibility.PRIVATE and new_visibility is not Visibility.PRIVATE
        await note_edit(session, post_id, is_published_again=leaves_private)
        new_body = body if body is not None and text_changed else before.text
        after = await posts.update_post(
            session,
            post_id,
            body=new_body,
            entities=await resolve_entities(session, new_body) if text_changed else before.entity_rows,
            visibility=new_visibility,
            text_changed=text_changed,
        )
        change = (new_visibility is Visibility.PUBLIC) - (before.visibility is Visibility.PUBLIC)
        if change:
            await posts.add_to_post_count(session, author_id, change)
        await write_post_hashtags(
            session,
            post_id,
            before=hashtag_names(before.entity_rows),
            after=hashtag_names(after.entity_rows),
            was_counted=before.visibility is Visibility.PUBLIC,
            is_counted=new_visibility is Visibility.PUBLIC,
        )
        if new_visibility is not Visibility.PRIVATE:
            await note_activity(session, ActivityKind.POST, actor_id=author_id, subject_id=post_id)
    backends.relay_bell.ring()
    return after
