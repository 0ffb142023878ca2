"""Use case: somebody no longer follows an account, or takes the request back."""

from __future__ import annotations

from db import follows, kept_follows
from db.activities import note_activity
from domain.activities import ActivityKind
from services.backends import Backends
from services.graph.the_other import lock_both, not_found, refuse_self
from services.protection.charge_follow import charge_follow_change


async def unfollow_user(backends: Backends, *, follower_id: int, followee_id: int, keep_history: bool = False) -> None:
    """From the follower's next page on, the account's posts are no longer in the feed. A second time changes nothing.

    `keep_history`: what exists by now stays, until the account is followed again or unfollowed without it. The settings of the
    follow end with it. Raises RefusedError: SELF_REFERENCE, NOT_FOUND; RateLimitedError.
    """
    refuse_self(follower_id, followee_id)
    async with backends.database.writing() as session:
        person = await lock_both(session, follower_id, followee_id)
        # Unfollowing an account that is hidden meanwhile is still possible: the edge is the follower's own.
        ended = await follows.delete_follow(session, follower_id, followee_id)
        ended_request = await follows.delete_follow_request(session, follower_id, followee_id)
        if ended:
            await note_activity(session, ActivityKind.FOLLOW, actor_id=follower_id, subject_id=followee_id)
        if ended_request:
            await note_activity(session, ActivityKind.FOLLOW_REQUEST, actor_id=follower_id, subject_id=followee_id)
        forgotten = False
        if not keep_history:
            forgotten = await kept_follows.forget_history(session, follower_id, followee_id)
        elif ended:
            await kept_follows.keep_history(session, follower_id, followee_id)
        if person is None and not (ended or ended_request or forgotten):
            raise not_found()
        if ended or ended_request:
            await charge_follow_change(backends, follower_id=follower_id, followee_id=followee_id, begins=False)
    backends.relay_bell.ring()
