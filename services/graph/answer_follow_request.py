"""Use case: the owner of a private account answers somebody's wish to follow."""

from __future__ import annotations

from db import follows
from db.activities import note_activity
from domain.activities import ActivityKind
from services.backends import Backends
from services.graph.the_other import check_follow_limit, lock_both, not_found, refuse_self


async def answer_follow_request(backends: Backends, *, viewer_id: int, requester_id: int, accept: bool) -> None:
    """Turns the request into a follow, or drops it.

    Raises RefusedError: SELF_REFERENCE; NOT_FOUND where there is no request (any more), or its account is hidden
    meanwhile; LIMIT_REACHED where whoever asks follows as many as they may by now.
    """
    refuse_self(viewer_id, requester_id)
    async with backends.database.writing() as session:
        person = await lock_both(session, viewer_id, requester_id)
        if person is None or not await follows.delete_follow_request(session, requester_id, viewer_id):
            raise not_found()
        # Only that the request has ended: whoever accepts it knows that they are followed.
        await note_activity(session, ActivityKind.FOLLOW_REQUEST, actor_id=requester_id, subject_id=viewer_id)
        if accept:
            check_follow_limit(backends, await follows.count_following(session, requester_id))
            await follows.insert_follow(session, requester_id, viewer_id)
    backends.relay_bell.ring()
