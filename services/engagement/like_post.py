"""Use cases: somebody likes a post, or does not any more."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from db import engagement
from db.database import WriteSession
from db.engagement import MarkChange
from services.backends import Backends
from services.engagement.find_target import Engaged, engaged, no_such_post, require_root


async def like_post(backends: Backends, *, viewer_id: int, post_id: int) -> Engaged:
    """Of a share without words what it shares is liked. A second time changes nothing.

    Raises RefusedError NOT_FOUND for what is hidden or absent.
    """
    return await _change_like(backends, engagement.insert_like, viewer_id, post_id)


async def unlike_post(backends: Backends, *, viewer_id: int, post_id: int) -> Engaged:
    """The like's end; where there is none nothing changes. Raises RefusedError NOT_FOUND for what is hidden or absent."""
    return await _change_like(backends, engagement.delete_like, viewer_id, post_id)


class _Write(Protocol):
    def __call__(self, session: WriteSession, /, *, post_id: int, user_id: int) -> Awaitable[MarkChange | None]: ...


async def _change_like(backends: Backends, write: _Write, viewer_id: int, post_id: int) -> Engaged:
    async with backends.database.reading() as session:
        root = await require_root(session, post_id, viewer_id=viewer_id)
    async with backends.database.writing_at_once() as writing:
        change = await write(writing, post_id=root.post.id, user_id=viewer_id)
    if change is None:
        raise no_such_post()
    if change.has_changed:
        backends.live_bell.ring_counts([root.post.id])
        backends.relay_bell.ring_soon()
    return engaged(root, change)
