"""Pages of lists that are ordered by since when something holds, newest first."""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from domain.cursors import CursorScope
from domain.errors import InvalidCursorError
from domain.ids import MAX_ID
from domain.paging import Connection, Edge, PageInfo, PageRequest
from services.backends import Backends
from services.fill_page import fill_page

Since = tuple[datetime, int]
"""(since when, id of what holds): the keyset."""

NEWEST: Since = (datetime(9999, 1, 1, tzinfo=UTC), MAX_ID)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORMAT = struct.Struct(">qq")
T = TypeVar("T")


def open_since(backends: Backends, scope: CursorScope, page: PageRequest) -> Since:
    """Where the page begins. Raises InvalidCursorError."""
    if page.cursor is None:
        return NEWEST
    payload = backends.sealer.open(scope, page.cursor)
    if len(payload) != _FORMAT.size:
        raise InvalidCursorError("the cursor is not valid here")
    microseconds, entity_id = _FORMAT.unpack(payload)
    return _EPOCH + timedelta(microseconds=microseconds), entity_id


async def page_by_time(
    backends: Backends,
    scope: CursorScope,
    page: PageRequest,
    *,
    start: Since,
    fetch: Callable[[Since, int], Awaitable[list[tuple[Since, T | None]]]],
) -> Connection[T]:
    """The page from `start` on, filled from `fetch` as `fill_page` says."""
    filled = await fill_page(fetch, start=start, size=page.size)

    def seal(key: Since) -> str:
        return backends.sealer.seal(scope, _FORMAT.pack((key[0] - _EPOCH) // timedelta(microseconds=1), key[1]))

    edges = [Edge(seal(key), item) for key, item in filled.items]
    return Connection(
        edges,
        PageInfo(
            has_next_page=filled.has_more,
            has_previous_page=page.cursor is not None,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=seal(filled.end) if filled.end is not None else page.cursor,
        ),
    )
