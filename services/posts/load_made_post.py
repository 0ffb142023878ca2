"""What was made under an idempotency key, for its author, who asks again."""

from __future__ import annotations

from domain.records import PostRecord
from services.backends import Backends
from services.posts.load_visible_posts import load_visible_posts


async def load_made_post(backends: Backends, post_id: int, *, author_id: int) -> PostRecord | None:
    """The post, quote or share as it is now; None where it is deleted, or hidden from its own author."""
    found = (await load_visible_posts(backends, {post_id}, viewer_id=author_id)).get(post_id)
    return found.post if found is not None else None
