"""A post of the viewer's own, held for a change."""

from __future__ import annotations

from db import posts
from db.database import WriteSession
from domain.errors import RefusalCode, refused
from domain.records import PostRecord
from services.posts.load_visible_posts import load_visible_posts_in


async def lock_own_post(session: WriteSession, post_id: int, *, author_id: int) -> PostRecord:
    """The post, locked until the transaction ends. Raises RefusedError NOT_FOUND where it is somebody else's or absent.

    A share without words is absent, for its author too, where what it shares is gone or hidden from them.
    """
    post = await posts.lock_own_post(session, post_id, author_id=author_id)
    if post is None or (
        post.is_plain_share and post_id not in await load_visible_posts_in(session, [post_id], viewer_id=author_id)
    ):
        raise refused(RefusalCode.NOT_FOUND, "there is no such post", "postId")
    return post
