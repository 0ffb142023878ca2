"""Use case: one post as an entry of the viewer's feed."""

from __future__ import annotations

from db.posts import load_posts
from domain.feed import FeedEntry
from services.backends import Backends
from services.feeds.feed_entry import entry_for


async def find_feed_entry(backends: Backends, *, viewer_id: int, post_id: int) -> FeedEntry | None:
    """The edge under which the post stands in the viewer's feed, or None where it is not in it."""
    async with backends.database.reading() as session:
        facts = (await load_posts(session, [post_id], viewer_id=viewer_id)).get(post_id)
    return entry_for(backends.sealer, *facts, viewer_id=viewer_id) if facts is not None else None
