"""Accounts as far as they exist for the viewer, and how the viewer stands to them."""

from __future__ import annotations

from collections.abc import Iterable

from db.users import find_person, load_people, load_relations
from domain.records import NO_RELATION, Relation, UserRecord
from domain.visibility import can_see_account
from services.backends import Backends


async def load_visible_users(backends: Backends, user_ids: Iterable[int], *, viewer_id: int | None) -> dict[int, UserRecord]:
    """Accounts by id; hidden ones are missing, like those that do not exist."""
    async with backends.database.at_once() as session:
        people = await load_people(session, user_ids, viewer_id=viewer_id)
    return {
        user_id: user for user_id, (user, relation) in people.items() if can_see_account(user, relation, viewer_id=viewer_id)
    }


async def find_user(backends: Backends, username: str, *, viewer_id: int | None) -> UserRecord | None:
    """The account of that name, without regard to case."""
    if not username.isascii() or "\0" in username:
        return None
    async with backends.database.at_once() as session:
        person = await find_person(session, username, viewer_id=viewer_id)
    return person[0] if person is not None and can_see_account(*person, viewer_id=viewer_id) else None


async def load_viewer_relations(backends: Backends, viewer_id: int, user_ids: Iterable[int]) -> dict[int, Relation]:
    """How the viewer stands to each account; an entry for every id."""
    wanted = list(user_ids)
    async with backends.database.at_once() as session:
        found = await load_relations(session, viewer_id, wanted)
    return {user_id: found.get(user_id, NO_RELATION) for user_id in wanted}
