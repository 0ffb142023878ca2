"""Use case: somebody changes how an account that they follow comes into their feed."""

from __future__ import annotations

from db import follows, users
from domain.errors import RefusalCode, refused
from services.backends import Backends
from services.graph.the_other import not_found, refuse_self, require_person

MAX_DAILY_LIMIT = 1_000_000
"""Entries a UTC day: far above what anybody writes."""


async def update_follow(
    backends: Backends,
    *,
    follower_id: int,
    followee_id: int,
    close_friend: bool | None,
    hide_shares: bool | None,
    daily_limit: int | None,
) -> None:
    """Sets what is not None; a `daily_limit` of 0 lifts it. In force from the follower's next page on.

    Raises RefusedError: SELF_REFERENCE; NOT_FOUND, also where the account is not followed; INVALID for a limit out of range.
    """
    refuse_self(follower_id, followee_id)
    async with backends.database.writing() as session:
        # What the change replaces is noted: nobody else may replace it meanwhile.
        await users.lock_users(session, follower_id)
        _, relation = await require_person(session, followee_id, viewer_id=follower_id)
        if not relation.follows:
            raise not_found()
        if daily_limit is not None and not 0 <= daily_limit <= MAX_DAILY_LIMIT:
            raise refused(RefusalCode.INVALID, f"dailyLimit must be between 0 and {MAX_DAILY_LIMIT}", "dailyLimit")
        is_set = await follows.update_follow_settings(
            session, follower_id, followee_id, close_friend=close_friend, hide_shares=hide_shares, daily_limit=daily_limit
        )
        if not is_set:
            raise not_found()
    backends.relay_bell.ring()
