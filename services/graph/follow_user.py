"""Use case: somebody follows an account, or asks to."""

from __future__ import annotations

from db import follows
from db.activities import note_activity
from domain.activities import ActivityKind
from domain.visibility import can_be_listed
from services.backends import Backends
from services.graph.the_other import check_follow_limit, lock_both, not_found, refuse_self
from services.protection.charge_follow import charge_follow_change


async def follow_user(backends: Backends, *, follower_id: int, followee_id: int) -> None:
    """Follows a public account, asks a private one. A second time changes nothing.

    The follower's next page is read under the new graph version, so the account's older posts are there at once.
    Raises RefusedError: SELF_REFERENCE, NOT_FOUND, LIMIT_REACHED; RateLimitedError.
    """
    refuse_self(follower_id, followee_id)
    async with backends.database.writing() as session:
        person = await lock_both(session, follower_id, followee_id)
        # Who blocks somebody cannot follow them either; for whom it blocks, nobody is there.
        if person is None or not can_be_listed(*person, viewer_id=follower_id):
            raise not_found()
        if await follows.is_following(session, follower_id, followee_id):
            return
        check_follow_limit(backends, await follows.count_following(session, follower_id))
        if person[0].is_private:
            is_new, kind = await follows.insert_follow_request(session, follower_id, followee_id), ActivityKind.FOLLOW_REQUEST
        else:
            is_new, kind = await follows.insert_follow(session, follower_id, followee_id), ActivityKind.FOLLOW
        if is_new:
            await charge_follow_change(backends, follower_id=follower_id, followee_id=followee_id, begins=True)
            await note_activity(session, kind, actor_id=follower_id, subject_id=followee_id)
    backends.relay_bell.ring()
