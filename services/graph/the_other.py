"""The account that somebody's action on another person is about."""

from __future__ import annotations

from db import users
from db.database import ReadSession, WriteSession
from domain.errors import RefusalCode, RefusedError, refused
from domain.records import Relation, UserRecord
from domain.visibility import can_see_account
from services.backends import Backends

Person = tuple[UserRecord, Relation]
"""(the account, how the viewer stands to it)"""


def refuse_self(viewer_id: int, user_id: int) -> None:
    """Raises RefusedError SELF_REFERENCE where both are the same."""
    if viewer_id == user_id:
        raise refused(RefusalCode.SELF_REFERENCE, "this is the viewer's own account", "userId")


def not_found() -> RefusedError:
    """The one refusal for accounts that are hidden, absent, or no ids at all: nobody can tell which."""
    return refused(RefusalCode.NOT_FOUND, "there is no such account", "userId")


async def find_person(session: ReadSession, user_id: int, *, viewer_id: int) -> Person | None:
    """The account as far as it exists for the viewer."""
    person = (await users.load_people(session, [user_id], viewer_id=viewer_id)).get(user_id)
    return person if person is not None and can_see_account(*person, viewer_id=viewer_id) else None


async def require_person(session: ReadSession, user_id: int, *, viewer_id: int) -> Person:
    """The same. Raises RefusedError NOT_FOUND where it does not exist for the viewer."""
    person = await find_person(session, user_id, viewer_id=viewer_id)
    if person is None:
        raise not_found()
    return person


async def lock_both(session: WriteSession, viewer_id: int, user_id: int) -> Person | None:
    """Locks the two accounts before what is between them changes; then `find_person`."""
    await users.lock_users(session, viewer_id, user_id)
    return await find_person(session, user_id, viewer_id=viewer_id)


def check_follow_limit(backends: Backends, following_count: int) -> None:
    """Raises RefusedError LIMIT_REACHED for an account that follows as many as it may."""
    limit = backends.policy.follow_limit
    if following_count >= limit:
        raise refused(RefusalCode.LIMIT_REACHED, f"one account follows at most {limit} others", "userId")
