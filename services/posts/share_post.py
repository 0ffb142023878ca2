"""Use case: somebody passes a post on, with or without words."""

from __future__ import annotations

from db import outbox, posts, shares
from db.activities import note_activity
from db.database import WriteSession
from db.outbox import OutboxKind
from db.post_hashtags import write_post_hashtags
from domain.activities import ActivityKind
from domain.errors import RefusalCode, refused
from domain.records import PostRecord, Visibility
from services.backends import Backends
from services.idempotency.answer_once import Attempt, answer_once
from services.idempotency.run_once import OnceOperation
from services.posts.check_input import check_body, has_words
from services.posts.check_words import check_words
from services.posts.load_made_post import load_made_post
from services.posts.load_visible_posts import load_visible_posts_in
from services.posts.resolve_entities import resolve_entities
from services.posts.text_entities import hashtag_names
from services.protection.check_publication import PublicationKind


async def share_post(
    backends: Backends, *, author_id: int, post_id: int, body: str, idempotency_key: str | None = None
) -> PostRecord:
    """The quote, or where `body` is blank the share without words: a new one, or the one that exists already.

    Of a share without words its root is shared; `shared_post_id` of the answer names it. Raises RefusedError: NOT_FOUND for
    what is hidden or absent, NOT_ALLOWED unless it is public and its author is; for a text TOO_LONG, INVALID or
    CONTENT_REJECTED; and what `answer_once` raises.
    """
    is_plain = not has_words(body)
    request = {"post_id": post_id, "text": "" if is_plain else body}
    attempt = Attempt(author_id, OnceOperation.SHARE_POST, idempotency_key, request)

    async def share() -> PostRecord:
        return await _share(backends, attempt, author_id=author_id, post_id=post_id, body=body, is_plain=is_plain)

    async def load_again(share_id: int) -> PostRecord | None:
        return await load_made_post(backends, share_id, author_id=author_id)

    return await answer_once(backends, attempt, do=share, load_again=load_again)


async def _share(
    backends: Backends, attempt: Attempt, *, author_id: int, post_id: int, body: str, is_plain: bool
) -> PostRecord:
    if not is_plain:
        check_body(body)
        await check_words(backends, PublicationKind.QUOTE, author_id=author_id, body=body, idempotency_key=attempt.key)
    async with backends.database.writing() as session:
        once = await attempt.begin(session)
        root_id = await _lock_shareable_root(session, post_id, viewer_id=author_id)
        if is_plain:
            existing = await shares.find_plain_share(session, author_id=author_id, root_id=root_id)
            if existing is not None:
                await once.remember(session, existing.id)
                return existing
        entities = [] if is_plain else await resolve_entities(session, body)
        made = await shares.insert_share(
            session, author_id=author_id, root_id=root_id, body="" if is_plain else body, entities=entities, is_plain=is_plain
        )
        if not is_plain:
            await posts.add_to_post_count(session, author_id, 1)
            await write_post_hashtags(session, made.id, after=hashtag_names(entities), was_counted=False, is_counted=True)
            await note_activity(session, ActivityKind.POST, actor_id=author_id, subject_id=made.id)
        await note_activity(session, ActivityKind.SHARE, actor_id=author_id, subject_id=made.id)
        await outbox.insert_event(session, OutboxKind.POST_PUBLISHED, author_id=author_id, post_id=made.id)
        await once.remember(session, made.id)
    backends.relay_bell.ring()
    backends.live_bell.ring_counts([root_id])
    return made


async def _lock_shareable_root(session: WriteSession, post_id: int, *, viewer_id: int) -> int:
    # Locked before it is judged: it can neither be deleted nor be hidden until the share is committed.
    root_id = await shares.lock_root(session, post_id)
    visible = await load_visible_posts_in(session, {post_id, root_id or post_id}, viewer_id=viewer_id)
    root = visible.get(root_id) if root_id is not None and post_id in visible else None
    if root is None:
        raise refused(RefusalCode.NOT_FOUND, "there is no such post", "postId")
    if root.post.visibility is not Visibility.PUBLIC or root.author.is_private:
        raise refused(RefusalCode.NOT_ALLOWED, "only public posts of public accounts can be shared", "postId")
    return root.post.id
