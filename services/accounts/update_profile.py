"""Use case: somebody changes their own profile."""

from __future__ import annotations

from typing import Any

from db import follows, users
from domain.errors import RefusalCode, RefusedError, refused
from domain.records import UserRecord
from domain.text import TextProblem, check_line, check_post_text
from services.accounts.provision_account import MAX_DISPLAY_NAME_LENGTH
from services.backends import Backends
from services.media.choose_avatar import choose_avatar, lock_avatar

MAX_BIO_LENGTH = 500


async def update_profile(
    backends: Backends,
    *,
    user_id: int,
    display_name: str | None,
    bio: str | None,
    is_private: bool | None,
    avatar_media_id: int | None = None,
) -> UserRecord:
    """The account in its new state; None leaves a part as it is. Raises RefusedError for texts that are not valid, and for a
    picture that is not the account's own or not ready.

    An account that becomes public accepts whoever was waiting, unless they follow as many as they may by now.
    """
    _check("displayName", display_name, MAX_DISPLAY_NAME_LENGTH, may_be_blank=False)
    _check("bio", bio, MAX_BIO_LENGTH, may_be_blank=True)
    changes: dict[str, Any] = {"display_name": display_name, "bio": bio, "is_private": is_private}
    if is_private is False:
        public = await _become_public(backends, user_id, changes, avatar_media_id)
        backends.relay_bell.ring()
        return public
    async with backends.database.writing() as session:
        picture = await lock_avatar(session, user_id, avatar_media_id) if avatar_media_id is not None else None
        if picture is not None:
            await choose_avatar(session, user_id, picture)
        user = await users.update_user(session, user_id, changes)
    assert user is not None, "the viewer's account exists"
    if is_private is not None:
        backends.relay_bell.ring()
    return user


async def _become_public(backends: Backends, user_id: int, changes: dict[str, Any], avatar_media_id: int | None) -> UserRecord:
    waiting: list[int] = []
    while True:
        async with backends.database.writing() as session:
            picture = await lock_avatar(session, user_id, avatar_media_id) if avatar_media_id is not None else None
            # All at once, in the order that everybody keeps: one lock after the other would meet who asks right now.
            await users.lock_users(session, user_id, *waiting)
            # Nobody can ask between this look and the commit: asking takes the account's lock.
            found = await follows.load_requesters(session, user_id)
            if not set(found) <= set(waiting):
                waiting = found
                continue
            if picture is not None:
                await choose_avatar(session, user_id, picture)
            user = await users.update_user(session, user_id, changes)
            assert user is not None, "the viewer's account exists"
            await follows.accept_all_requests(session, user_id, follow_limit=backends.policy.follow_limit)
            return (await users.load_users(session, [user_id]))[user_id] if found else user


def _check(field: str, value: str | None, max_length: int, *, may_be_blank: bool) -> None:
    if value is None:
        return
    problem = check_line(value, max_length) if field == "displayName" else check_post_text(value, max_length=max_length)
    if problem is None or (may_be_blank and problem is TextProblem.BLANK and value == ""):
        return
    raise _refusal(field, problem, max_length)


def _refusal(field: str, problem: TextProblem, max_length: int) -> RefusedError:
    if problem is TextProblem.TOO_LONG:
        return refused(RefusalCode.TOO_LONG, f"{field} has at most {max_length} characters", field)
    if problem is TextProblem.BLANK:
        return refused(RefusalCode.BLANK, f"{field} must not be blank", field)
    return refused(RefusalCode.INVALID, f"{field} holds characters that are not allowed", field)
