"""Use case: an author publishes a post."""

from __future__ import annotations

from db import outbox, posts
from db.activities import note_activity
from db.outbox import OutboxKind
from db.post_hashtags import write_post_hashtags
from domain.activities import ActivityKind
from domain.records import LocationRecord, PostRecord, Visibility
from services.backends import Backends
from services.posts.check_input import check_body, check_location
from services.posts.resolve_entities import resolve_entities
from services.posts.text_entities import hashtag_names


async def publish_post(
    backends: Backends, *, author_id: int, body: str, visibility: Visibility, location: LocationRecord | None
) -> PostRecord:
    """The new post, committed together with the promise to deliver it. Raises RefusedError for a text or place that is not
    valid.

    A private post is promised to nobody: only its author sees it, whose own posts are always merged when read.
    """
    check_body(body)
    check_location(location)
    async with backends.database.writing() as session:
        entities = await resolve_entities(session, body)
        post = await posts.insert_post(
            session, author_id=author_id, body=body, entities=entities, visibility=visibility, location=location
        )
        if visibility is Visibility.PUBLIC:
            await posts.add_to_post_count(session, author_id, 1)
        await write_post_hashtags(
            session, post.id, after=hashtag_names(entities), was_counted=False, is_counted=visibility is Visibility.PUBLIC
        )
        await outbox.insert_event(session, OutboxKind.POST_PUBLISHED, author_id=author_id, post_id=post.id)
        if visibility is not Visibility.PRIVATE:
            await note_activity(session, ActivityKind.POST, actor_id=author_id, subject_id=post.id)
    backends.relay_bell.ring()
    # Committed is in the feed, delivered or not: readers merge what is open. So listeners need not wait for the workers.
    return post
