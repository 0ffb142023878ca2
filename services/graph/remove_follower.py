"""Use case: somebody no longer wants an account among their followers."""

from __future__ import annotations

from db import follows
from db.activities import note_activity
from domain.activities import ActivityKind
from services.backends import Backends
from services.graph.the_other import lock_both, not_found, refuse_self


async def remove_follower(backends: Backends, *, viewer_id: int, follower_id: int) -> None:
    """The account no longer follows the viewer and is not told; it may follow or ask again. A second time changes nothing.

    Raises RefusedError: SELF_REFERENCE, NOT_FOUND.
    """
    refuse_self(viewer_id, follower_id)
    async with backends.database.writing() as session:
        person = await lock_both(session, viewer_id, follower_id)
        if await follows.delete_follow(session, follower_id, viewer_id):
            await note_activity(session, ActivityKind.FOLLOW, actor_id=follower_id, subject_id=viewer_id)
        elif person is None:
            raise not_found()
    backends.relay_bell.ring()
