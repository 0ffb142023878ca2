"""Use cases: followers of an account, whom it follows, who asks to follow, whom it blocks and mutes. Newest first."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from db.database import ReadSession
from db.follows import load_follow_requests, load_followers, load_following
from db.people_lists import PersonRow
from db.shut_out import load_blocked, load_muted
from db.users import load_people
from domain.cursors import CursorScope
from domain.paging import Connection, PageInfo, PageRequest
from domain.records import UserRecord
from domain.visibility import can_be_listed, can_see_account, can_see_posts_of
from services.backends import Backends
from services.page_by_time import Since, open_since, page_by_time

_Loader = Callable[..., Coroutine[Any, Any, list[PersonRow]]]
_Rule = Callable[..., bool]


async def list_followers(
    backends: Backends, *, user_id: int, viewer_id: int | None, page: PageRequest
) -> Connection[UserRecord]:
    """Those of the followers that exist for the viewer; nobody where the account is private to the viewer."""
    return await _list_people(backends, load_followers, f"user.followers:{user_id}", user_id, viewer_id, page)


async def list_following(
    backends: Backends, *, user_id: int, viewer_id: int | None, page: PageRequest
) -> Connection[UserRecord]:
    """Those whom the account follows and that exist for the viewer; nobody where the account is private to the viewer."""
    return await _list_people(backends, load_following, f"user.following:{user_id}", user_id, viewer_id, page)


async def list_follow_requests(backends: Backends, *, viewer_id: int, page: PageRequest) -> Connection[UserRecord]:
    """Who waits for the viewer's answer."""
    return await _list_people(backends, load_follow_requests, "follow_requests", viewer_id, viewer_id, page)


async def list_blocked_users(backends: Backends, *, viewer_id: int, page: PageRequest) -> Connection[UserRecord]:
    """Whom the viewer blocks: the one list that blocked accounts stand in."""
    return await _list_people(backends, load_blocked, "blocked_users", viewer_id, viewer_id, page, rule=can_see_account)


async def list_muted_users(backends: Backends, *, viewer_id: int, page: PageRequest) -> Connection[UserRecord]:
    """Whom the viewer mutes at this moment."""
    return await _list_people(backends, load_muted, "muted_users", viewer_id, viewer_id, page)


async def _list_people(
    backends: Backends,
    load: _Loader,
    kind: str,
    user_id: int,
    viewer_id: int | None,
    page: PageRequest,
    *,
    rule: _Rule = can_be_listed,
) -> Connection[UserRecord]:
    scope = CursorScope(kind, viewer_id)
    start = open_since(backends, scope, page)
    async with backends.database.at_once() as session:
        if not await _may_look(session, user_id, viewer_id):
            return Connection([], PageInfo(False, False, None, None))

        async def fetch(below: Since, size: int) -> list[tuple[Since, UserRecord | None]]:
            rows = await load(session, user_id, viewer_id=viewer_id or 0, below=below, size=size)
            return [
                ((since, user.id), user if rule(user, relation, viewer_id=viewer_id) else None)
                for since, user, relation in rows
            ]

        return await page_by_time(backends, scope, page, start=start, fetch=fetch)


async def _may_look(session: ReadSession, user_id: int, viewer_id: int | None) -> bool:
    person = (await load_people(session, [user_id], viewer_id=viewer_id)).get(user_id)
    return person is not None and can_see_posts_of(*person, viewer_id=viewer_id)
