"""Use case: somebody follows an account, or asks to."""

from __future__ import annotations

from db import follows, users
from domain.errors import RefusalCode, refused
from domain.visibility import can_be_listed
from services.backends import Backends


async def follow_user(backends: Backends, *, follower_id: int, followee_id: int) -> None:
    """Follows a public account, asks a private one. A second time changes nothing.

    The follower's next page is read under the new graph version, so the account's older posts are there at once.
    Raises RefusedError: SELF_REFERENCE, NOT_FOUND, LIMIT_REACHED.
    """
    if follower_id == followee_id:
        raise refused(RefusalCode.SELF_REFERENCE, "nobody follows themselves", "userId")
    async with backends.database.writing() as session:
        await users.lock_users(session, follower_id, followee_id)
        person = (await users.load_people(session, [followee_id], viewer_id=follower_id)).get(followee_id)
        # Who blocks somebody cannot follow them either; for whom it blocks, nobody is there.
        if person is None or not can_be_listed(*person, viewer_id=follower_id):
            raise refused(RefusalCode.NOT_FOUND, "there is no such account", "userId")
        if await follows.is_following(session, follower_id, followee_id):
            return
        if await follows.count_following(session, follower_id) >= backends.policy.follow_limit:
            raise refused(
                RefusalCode.LIMIT_REACHED, f"one account follows at most {backends.policy.follow_limit} others", "userId"
            )
        if person[0].is_private:
            await follows.insert_follow_request(session, follower_id, followee_id)
        else:
            await follows.insert_follow(session, follower_id, followee_id)
