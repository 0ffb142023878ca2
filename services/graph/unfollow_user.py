"""Use case: somebody no longer follows an account, or takes the request back."""

from __future__ import annotations

from db import follows, users
from domain.errors import RefusalCode, refused
from domain.visibility import can_see_account
from services.backends import Backends


async def unfollow_user(backends: Backends, *, follower_id: int, followee_id: int) -> None:
    """From the follower's next page on, the account's posts are no longer in the feed. A second time changes nothing.

    Raises RefusedError: SELF_REFERENCE, NOT_FOUND.
    """
    if follower_id == followee_id:
        raise refused(RefusalCode.SELF_REFERENCE, "nobody follows themselves", "userId")
    async with backends.database.writing() as session:
        await users.lock_users(session, follower_id, followee_id)
        person = (await users.load_people(session, [followee_id], viewer_id=follower_id)).get(followee_id)
        # Unfollowing an account that is hidden meanwhile is still possible: the edge is the follower's own.
        removed = await follows.delete_follow(session, follower_id, followee_id)
        removed = await follows.delete_follow_request(session, follower_id, followee_id) or removed
        if not removed and (person is None or not can_see_account(*person, viewer_id=follower_id)):
            raise refused(RefusalCode.NOT_FOUND, "there is no such account", "userId")
