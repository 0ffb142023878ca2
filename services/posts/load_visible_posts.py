"""The gate: posts by id, as far as one viewer may see them."""

from __future__ import annotations

from collections.abc import Iterable

from db.database import ReadSession
from db.posts import load_posts
from domain.records import PostFacts, VisiblePost
from domain.visibility import why_post_is_hidden
from services.backends import Backends


def only_visible(facts: PostFacts, *, viewer_id: int | None) -> VisiblePost | None:
    """The post as it may leave `services`, or None."""
    if why_post_is_hidden(facts, viewer_id=viewer_id) is not None:
        return None
    return VisiblePost(facts.post, facts.author, facts.relation)


async def load_visible_posts_in(
    session: ReadSession, post_ids: Iterable[int], *, viewer_id: int | None
) -> dict[int, VisiblePost]:
    """Those of the posts that exist for the viewer, by id."""
    loaded = await load_posts(session, post_ids, viewer_id=viewer_id)
    visible = ((post_id, only_visible(facts, viewer_id=viewer_id)) for post_id, facts in loaded.items())
    return {post_id: post for post_id, post in visible if post is not None}


async def load_visible_posts(backends: Backends, post_ids: Iterable[int], *, viewer_id: int | None) -> dict[int, VisiblePost]:
    """The same with a short session of its own."""
    async with backends.database.at_once() as session:
        return await load_visible_posts_in(session, post_ids, viewer_id=viewer_id)
