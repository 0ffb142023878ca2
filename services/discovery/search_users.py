"""Use case: people by their names."""

from __future__ import annotations

from db.people_search import Place, find_people, prepare_people_search
from db.snapshot_at_once import snapshot_at_once
from db.users import load_people
from domain.cursors import CursorScope
from domain.ids import MAX_ID
from domain.paging import Connection, Edge, PageInfo, PageRequest
from domain.records import UserRecord
from domain.search_query import check_query
from domain.visibility import can_be_listed
from services.backends import Backends
from services.fill_page import fill_page

_FIRST: Place = (1_000, MAX_ID)


async def search_users(backends: Backends, *, query: str, viewer_id: int | None, page: PageRequest) -> Connection[UserRecord]:
    """Those that exist for the viewer, in the order of `db.people_search`: full pages as long as there are any.

    Raises InvalidArgumentError for a query that is blank, over-long or holds control characters, InvalidCursorError.
    """
    asked = check_query(query)
    scope = CursorScope(f"search.users:{query}", viewer_id)
    start = _FIRST
    if page.cursor is not None:
        score, user_id = backends.sealer.open_ids(scope, page.cursor, count=2)
        start = score, user_id
    async with snapshot_at_once(backends.database) as session:
        search = await prepare_people_search(session, asked)
        if search is None:
            return Connection([], PageInfo(False, False, None, None))

        async def fetch(below: Place, size: int) -> list[tuple[Place, UserRecord | None]]:
            places = await find_people(session, search, below=below, size=size)
            people = await load_people(session, [user_id for _, user_id in places], viewer_id=viewer_id)
            return [
                (place, people[place[1]][0] if can_be_listed(*people[place[1]], viewer_id=viewer_id) else None)
                for place in places
            ]

        filled = await fill_page(fetch, start=start, size=page.size)
    edges = [Edge(backends.sealer.seal_ids(scope, *place), user) for place, user in filled.items]
    return Connection(
        edges,
        PageInfo(
            has_next_page=filled.has_more,
            has_previous_page=page.cursor is not None,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=backends.sealer.seal_ids(scope, *filled.end) if filled.end is not None else page.cursor,
        ),
    )
