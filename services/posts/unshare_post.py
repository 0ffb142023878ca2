"""Use case: somebody takes a share without words back."""

from __future__ import annotations

from db import posts, shares
from db.database import WriteSession
from domain.errors import RefusalCode, RefusedError, refused
from domain.records import PostRecord
from services.backends import Backends
from services.posts.load_visible_posts import load_visible_posts_in
from services.posts.remove_post import remove_post_in, ring_for_removed


async def unshare_post(backends: Backends, *, author_id: int, post_id: int) -> PostRecord:
    """The share that no longer exists. `post_id` names what was shared, or any share of it without words.

    Raises RefusedError NOT_FOUND where the account has not shared it, or it is hidden or absent.
    """
    async with backends.database.writing() as session:
        share = await _lock_share(session, author_id=author_id, post_id=post_id)
        await remove_post_in(session, share)
    ring_for_removed(backends, share)
    return share


async def _lock_share(session: WriteSession, *, author_id: int, post_id: int) -> PostRecord:
    given = (await load_visible_posts_in(session, [post_id], viewer_id=author_id)).get(post_id)
    if given is None:
        raise _nothing_shared()
    found = await shares.find_plain_share(session, author_id=author_id, root_id=given.post.root_id)
    # Only the share is locked here, and what it shares after it, as when it is deleted: the other way round they would wait
    # for each other.
    share = await posts.lock_own_post(session, found.id, author_id=author_id) if found is not None else None
    if share is None:
        raise _nothing_shared()
    return share


def _nothing_shared() -> RefusedError:
    return refused(RefusalCode.NOT_FOUND, "there is no such post", "postId")
