"""Use case: the owner of a private account answers somebody's wish to follow."""

from __future__ import annotations

from db import follows, users
from domain.errors import RefusalCode, refused
from services.backends import Backends


async def answer_follow_request(backends: Backends, *, viewer_id: int, requester_id: int, accept: bool) -> None:
    """Turns the request into a follow, or drops it. Raises RefusedError NOT_FOUND where there is none (any more)."""
    async with backends.database.writing() as session:
        await users.lock_users(session, viewer_id, requester_id)
        if not await follows.delete_follow_request(session, requester_id, viewer_id):
            raise refused(RefusalCode.NOT_FOUND, "there is no such request", "userId")
        if accept:
            await follows.insert_follow(session, requester_id, viewer_id)
