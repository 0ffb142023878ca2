"""Use cases: followers of an account, whom it follows, and who asks to follow. Newest first."""

from __future__ import annotations

import struct
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

from db.database import ReadSession
from db.follows import PersonRow, load_follow_requests, load_followers, load_following
from db.users import load_people
from domain.cursors import CursorScope
from domain.errors import InvalidCursorError
from domain.ids import MAX_ID
from domain.paging import Connection, Edge, PageInfo, PageRequest
from domain.records import UserRecord
from domain.visibility import can_be_listed, can_see_posts_of
from services.backends import Backends
from services.fill_page import fill_page

Keyset = tuple[datetime, int]
"""(since when, account id)"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEWEST: Keyset = (datetime(9999, 1, 1, tzinfo=UTC), MAX_ID)
_FORMAT = struct.Struct(">qq")
_Loader = Callable[..., Coroutine[Any, Any, list[PersonRow]]]


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


async def _list_people(
    backends: Backends, load: _Loader, kind: str, user_id: int, viewer_id: int | None, page: PageRequest
) -> Connection[UserRecord]:
    scope = CursorScope(kind, viewer_id)
    start = _open(backends.sealer.open(scope, page.cursor)) if page.cursor else _NEWEST
    async with backends.database.reading() as session:
        if not await _may_look(session, user_id, viewer_id):
            return Connection([], PageInfo(False, False, None, None))

        async def fetch(below: Keyset, size: int) -> list[tuple[Keyset, UserRecord | None]]:
            rows = await load(session, user_id, viewer_id=viewer_id or 0, below=below, size=size)
            return [
                ((since, user.id), user if can_be_listed(user, relation, viewer_id=viewer_id) else None)
                for since, user, relation in rows
            ]

        filled = await fill_page(fetch, start=start, size=page.size)
    edges = [Edge(backends.sealer.seal(scope, _pack(key)), user) for key, user in filled.items]
    return Connection(
        edges,
        PageInfo(
            has_next_page=filled.has_more,
            has_previous_page=page.cursor is not None,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=backends.sealer.seal(scope, _pack(filled.end)) if filled.end is not None else page.cursor,
        ),
    )


async def _may_look(session: ReadSession, user_id: int, viewer_id: int | None) -> bool:
    person = (await load_people(session, [user_id], viewer_id=viewer_id)).get(user_id)
    return person is not None and can_see_posts_of(*person, viewer_id=viewer_id)


def _pack(key: Keyset) -> bytes:
    return _FORMAT.pack((key[0] - _EPOCH) // timedelta(microseconds=1), key[1])


def _open(payload: bytes) -> Keyset:
    if len(payload) != _FORMAT.size:
        raise InvalidCursorError("the cursor is not valid here")
    microseconds, user_id = _FORMAT.unpack(payload)
    return _EPOCH + timedelta(microseconds=microseconds), user_id
