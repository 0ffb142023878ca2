"""Use case: an author publishes a post."""

from __future__ import annotations

from collections.abc import Sequence

from db import outbox, posts
from db.outbox import OutboxKind
from db.post_hashtags import write_post_hashtags
from db.post_media import attach_media
from domain.records import LocationRecord, PostRecord, Visibility
from services.backends import Backends
from services.media.attach_media import lock_attachable
from services.posts.check_input import check_body, check_location, has_words
from services.posts.resolve_entities import resolve_entities
from services.posts.text_entities import hashtag_names


async def publish_post(
    backends: Backends,
    *,
    author_id: int,
    body: str,
    visibility: Visibility,
    location: LocationRecord | None,
    media_ids: Sequence[int] = (),
) -> PostRecord:
    """The new post, committed together with the promise to deliver it. Raises RefusedError for a text or place that is not
    valid, and for media that it cannot show. With media there need not be any words.

    A private post is promised to nobody: only its author sees it, whose own posts are always merged when read.
    """
    if media_ids and not has_words(body):
        body = ""
    else:
        check_body(body)
    check_location(location)
    async with backends.database.writing() as session:
        await lock_attachable(session, media_ids, owner_id=author_id)
        entities = await resolve_entities(session, body)
        post = await posts.insert_post(
            session, author_id=author_id, body=body, entities=entities, visibility=visibility, location=location
        )
        if media_ids:
            await attach_media(session, post.id, media_ids)
        if visibility is Visibility.PUBLIC:
            await posts.add_to_post_count(session, author_id, 1)
        await write_post_hashtags(
            session, post.id, after=hashtag_names(entities), was_counted=False, is_counted=visibility is Visibility.PUBLIC
        )
        await outbox.insert_event(session, OutboxKind.POST_PUBLISHED, author_id=author_id, post_id=post.id)
    backends.relay_bell.ring()
    # Committed is in the feed, delivered or not: readers merge what is open. So listeners need not wait for the workers.
    return post
