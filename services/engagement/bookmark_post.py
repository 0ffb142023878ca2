"""Use cases: somebody keeps a post for later, or does not any more."""

from __future__ import annotations

from db import engagement
from services.backends import Backends
from services.engagement.find_target import Engaged, engaged, find_root, no_such_post, require_root


async def bookmark_post(backends: Backends, *, viewer_id: int, post_id: int) -> Engaged:
    """Of a share without words what it shares is kept. A second time changes nothing.

    Raises RefusedError NOT_FOUND for what is hidden or absent.
    """
    async with backends.database.reading() as session:
        root = await require_root(session, post_id, viewer_id=viewer_id)
    async with backends.database.writing_at_once() as writing:
        change = await engagement.insert_bookmark(writing, post_id=root.post.id, user_id=viewer_id)
    if change is None:
        raise no_such_post()
    if change.has_changed:
        backends.relay_bell.ring_soon()
    return engaged(root, change)


async def unbookmark_post(backends: Backends, *, viewer_id: int, post_id: int) -> Engaged:
    """The bookmark is the viewer's own: it goes, whether or not the post can be seen.

    Raises RefusedError NOT_FOUND for what is hidden or absent, afterwards: whether there was a bookmark makes no difference.
    """
    async with backends.database.reading() as session:
        root = await find_root(session, post_id, viewer_id=viewer_id)
        root_id = root.post.id if root is not None else await engagement.load_root_id(session, post_id)
    async with backends.database.writing_at_once() as writing:
        change = await engagement.delete_bookmark(writing, post_id=root_id, user_id=viewer_id)
    if root is None or change is None:
        raise no_such_post()
    if change.has_changed:
        backends.relay_bell.ring_soon()
    return engaged(root, change)
