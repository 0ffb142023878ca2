"""The gate: media as far as one viewer may see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from db.post_media import load_media_of_posts, load_media_with_posts
from domain.media import MediaRecord
from services.backends import Backends
from services.posts.load_visible_posts import load_visible_posts_in


async def find_media(backends: Backends, media_ids: Sequence[int], *, viewer_id: int | None) -> dict[int, MediaRecord | None]:
    """The viewer's own, and what a post shows that the viewer may see; nobody learns of others' uploads. Three statements at
    most.
    """
    async with backends.database.at_once() as session:
        found = await load_media_with_posts(session, media_ids)
        shown_by = {post_id for media, post_id in found.values() if post_id is not None and media.owner_id != viewer_id}
        visible = await load_visible_posts_in(session, shown_by, viewer_id=viewer_id) if shown_by else {}
    return {
        media_id: media
        for media_id, (media, post_id) in found.items()
        if (viewer_id is not None and media.owner_id == viewer_id) or post_id in visible
    }


async def find_media_of_posts(backends: Backends, post_ids: Sequence[int]) -> Mapping[int, list[MediaRecord]]:
    """What posts show that the viewer is known to see. One statement."""
    async with backends.database.at_once() as session:
        found = await load_media_of_posts(session, post_ids)
    return {post_id: found.get(post_id, []) for post_id in post_ids}
