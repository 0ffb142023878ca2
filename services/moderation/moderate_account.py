"""Use case: a moderator suspends, shadow-bans or restores an account."""

from __future__ import annotations

from db.users import set_moderation
from domain.moderation import ModerationChange
from services.backends import Backends


async def moderate_account(backends: Backends, *, username: str, change: ModerationChange) -> bool:
    """In force at everybody's next read. A second time changes nothing; False where there is no such account."""
    if not username.isascii() or "\0" in username:
        return False
    async with backends.database.writing() as session:
        is_known = await set_moderation(session, username, change)
    backends.relay_bell.ring()
    return is_known
