"""Use case: somebody wants nothing to do with an account any more."""

from __future__ import annotations

from db import follows, kept_follows, shut_out
from db.activities import note_activity
from domain.activities import ActivityKind
from services.backends import Backends
from services.graph.the_other import lock_both, not_found, refuse_self


async def block_user(backends: Backends, *, viewer_id: int, user_id: int) -> None:
    """Neither sees anything of the other from the next read on. Follows, requests and kept history between them end, both ways.

    A second time changes nothing. Raises RefusedError: SELF_REFERENCE, NOT_FOUND.
    """
    refuse_self(viewer_id, user_id)
    async with backends.database.writing() as session:
        if await lock_both(session, viewer_id, user_id) is None:
            raise not_found()
        await shut_out.insert_block(session, viewer_id, user_id)
        for one, other in ((viewer_id, user_id), (user_id, viewer_id)):
            if await follows.delete_follow(session, one, other):
                await note_activity(session, ActivityKind.FOLLOW, actor_id=one, subject_id=other)
            if await follows.delete_follow_request(session, one, other):
                await note_activity(session, ActivityKind.FOLLOW_REQUEST, actor_id=one, subject_id=other)
            await kept_follows.forget_history(session, one, other)
    backends.relay_bell.ring()
