"""Use case: who is behind a verified token, also while PostgreSQL is away."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from db.replica_state import load_shown_moment
from db.users import find_user_by_external_id
from domain import subjects
from domain.errors import CacheUnavailableError, UnavailableError
from domain.records import UserRecord
from services.accounts.provision_account import provision_account
from services.backends import Backends
from services.memory.known_viewers import SeenViewer


class Recognised(NamedTuple):
    """Who asks. `seen`: the look at them that said so, good for what is read of the same request before it writes anything."""

    user: UserRecord
    seen: SeenViewer | None = None


async def recognise_account(
    backends: Backends,
    *,
    external_id: str,
    preferred_username: str | None,
    name: str | None,
    avatar_url: str | None,
    is_looked_at: bool = True,
) -> Recognised:
    """The account with this external id, made at first sight. While the database is away: as the replica has it, or as it was
    when it was last seen, unless it has changed since (a moderator may have suspended it). Raises UnavailableError.

    `is_looked_at`: whether a look at the viewer is of use to what comes next.
    """
    place = await backends.account_shelf.begin(external_id)
    user = None
    try:
        if backends.memory is not None:
            seen = await backends.memory.viewers.see_account(external_id) if is_looked_at else None
            if seen is not None:
                if place is not None:
                    backends.account_shelf.keep(seen.known.user, place)
                return Recognised(seen.known.user, seen)
            user = await backends.memory.viewers.find_account(external_id)
        if user is None:
            user = await provision_account(
                backends.database,
                external_id=external_id,
                preferred_username=preferred_username,
                name=name,
                avatar_url=avatar_url,
            )
            if backends.memory is not None:
                backends.memory.viewers.note_account(user)
    except UnavailableError:
        known = await _find_on_replica(backends, external_id) or await backends.account_shelf.find(external_id)
        if known is None:
            raise
        return Recognised(known)
    if place is not None:
        backends.account_shelf.keep(user, place)
    return Recognised(user)


async def _find_on_replica(backends: Backends, external_id: str) -> UserRecord | None:
    if backends.replica is None:
        return None
    with suppress(UnavailableError):
        async with backends.replica.reading() as session:
            shown = await load_shown_moment(session)
            user = await find_user_by_external_id(session, external_id)
        if user is None:
            return None
        with suppress(CacheUnavailableError):
            if await backends.changes.find_changed_after([subjects.account(user.id)], shown):
                return None
        return user
    return None
