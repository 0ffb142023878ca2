"""Use case: an author publishes a post."""

from __future__ import annotations

from collections.abc import Sequence

from db import outbox, posts
from db.activities import note_activity
from db.outbox import OutboxKind
from db.post_hashtags import write_post_hashtags
from db.post_media import attach_media
from db.publication import insert_published_post
from domain.activities import ActivityKind
from domain.records import LocationRecord, PostRecord, Visibility
from services.backends import Backends
from services.idempotency.answer_once import Attempt, answer_once
from services.idempotency.run_once import OnceOperation
from services.media.attach_media import lock_attachable
from services.posts.admitted_words import admitted_words
from services.posts.check_input import check_body, check_location, has_words
from services.posts.load_made_post import load_made_post
from services.posts.resolve_entities import resolve_entities
from services.posts.text_entities import hashtag_names
from services.protection.check_publication import PublicationKind


async def publish_post(
    backends: Backends,
    *,
    author_id: int,
    body: str,
    visibility: Visibility,
    location: LocationRecord | None,
    idempotency_key: str | None = None,
    media_ids: Sequence[int] = (),
) -> PostRecord:
    """The new post, committed together with the promise to deliver it; or the one that the same key has made before.

    With media there need not be any words. Raises RefusedError for a text, place or key that is not valid or not admitted,
    and for media that it cannot show; and what `answer_once` raises.
    """
    if idempotency_key is None:
        return await _publish(
            backends, author_id=author_id, body=body, visibility=visibility, location=location, media_ids=media_ids
        )
    place = [location.name, location.latitude, location.longitude] if location is not None else None
    request = {"text": body, "visibility": visibility.value, "location": place, "media_ids": list(media_ids)}
    attempt = Attempt(author_id, OnceOperation.CREATE_POST, idempotency_key, request)

    async def publish() -> PostRecord:
        return await _publish(
            backends,
            attempt,
            author_id=author_id,
            body=body,
            visibility=visibility,
            location=location,
            media_ids=media_ids,
        )

    async def load_again(post_id: int) -> PostRecord | None:
        return await load_made_post(backends, post_id, author_id=author_id)

    return await answer_once(backends, attempt, do=publish, load_again=load_again)


async def _publish(
    backends: Backends,
    attempt: Attempt | None = None,
    *,
    author_id: int,
    body: str,
    visibility: Visibility,
    location: LocationRecord | None,
    media_ids: Sequence[int],
) -> PostRecord:
    if media_ids and not has_words(body):
        body = ""
    else:
        check_body(body)
    check_location(location)
    key = attempt.key if attempt is not None else None
    async with admitted_words(backends, PublicationKind.POST, author_id=author_id, body=body, idempotency_key=key):
        post = None
        if attempt is None and not media_ids:
            post = await _publish_at_once(backends, author_id=author_id, body=body, visibility=visibility, location=location)
        if post is None:
            post = await _publish_in_steps(
                backends,
                attempt,
                author_id=author_id,
                body=body,
                visibility=visibility,
                location=location,
                media_ids=media_ids,
            )
    backends.relay_bell.ring()
    # Committed is in the feed, delivered or not: readers merge what is open. So listeners need not wait for the workers.
    return post


async def _publish_at_once(
    backends: Backends, *, author_id: int, body: str, visibility: Visibility, location: LocationRecord | None
) -> PostRecord | None:
    """Together with others who publish, or else alone. None, and nothing written, where that cannot be done either."""
    post = await backends.gathered_posts.publish(author_id=author_id, body=body, visibility=visibility, location=location)
    if post is not None:
        return post
    async with backends.database.at_once() as session:
        entities = await resolve_entities(session, body)
        return await insert_published_post(
            session,
            author_id=author_id,
            body=body,
            entities=entities,
            hashtags=hashtag_names(entities),
            visibility=visibility,
            location=location,
        )


async def _publish_in_steps(
    backends: Backends,
    attempt: Attempt | None,
    *,
    author_id: int,
    body: str,
    visibility: Visibility,
    location: LocationRecord | None,
    media_ids: Sequence[int],
) -> PostRecord:
    async with backends.database.writing() as session:
        once = await attempt.begin(session) if attempt is not None else None
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
        if visibility is not Visibility.PRIVATE:
            await note_activity(session, ActivityKind.POST, actor_id=author_id, subject_id=post.id)
        if once is not None:
            await once.remember(session, post.id)
    return post
