"""Use case: the account of a token's subject, made at first sight."""

from __future__ import annotations

import hashlib
import re

from db.database import Database
from db.users import find_user_by_external_id, insert_user
from domain.records import UserRecord

MAX_USERNAME_LENGTH = 50
MAX_DISPLAY_NAME_LENGTH = 100
_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9_]+")


async def provision_account(
    database: Database, *, external_id: str, preferred_username: str | None, name: str | None, avatar_url: str | None
) -> UserRecord:
    """The account with this external id; a new one where there is none.

    A new account gets the preferred username as far as its letters are allowed and nobody has it, else one made from the
    external id, which is the same at every try.
    """
    async with database.at_once() as session:
        known = await find_user_by_external_id(session, external_id)
    if known is not None:
        return known
    for username in _usernames(external_id, preferred_username):
        async with database.writing() as session:
            made = await insert_user(
                session,
                external_id=external_id,
                username=username,
                display_name=(name or preferred_username or username)[:MAX_DISPLAY_NAME_LENGTH],
                avatar_url=avatar_url,
            )
            # Nothing was inserted: somebody provisions the same account just now, or the name is taken.
            known = made or await find_user_by_external_id(session, external_id)
        if known is not None:
            return known
    raise AssertionError("a name with a 128-bit suffix is not taken")


def _usernames(external_id: str, preferred_username: str | None) -> list[str]:
    digest = hashlib.sha256(external_id.encode()).hexdigest()
    wished = _NOT_ALLOWED.sub("_", preferred_username or external_id).strip("_")[:MAX_USERNAME_LENGTH]
    stem = wished or "user"
    return [
        *([wished] if wished else []),
        f"{stem[: MAX_USERNAME_LENGTH - 9]}_{digest[:8]}",
        f"{stem[: MAX_USERNAME_LENGTH - 33]}_{digest[:32]}",
    ]
