"""Pages of lists that are ordered by an id, newest first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from domain.cursors import CursorScope
from domain.ids import MAX_ID
from domain.paging import Connection, Edge, PageInfo, PageRequest
from services.backends import Backends
from services.fill_page import fill_page

T = TypeVar("T")


def open_below(backends: Backends, scope: CursorScope, page: PageRequest) -> int:
    """The id below which the page begins. Raises InvalidCursorError."""
    return backends.sealer.open_ids(scope, page.cursor)[0] if page.cursor is not None else MAX_ID


async def page_by_id(
    backends: Backends,
    scope: CursorScope,
    page: PageRequest,
    *,
    start: int,
    fetch: Callable[[int, int], Awaitable[list[tuple[int, T | None]]]],
) -> Connection[T]:
    """The page from `start` on, filled from `fetch` as `fill_page` says."""
    filled = await fill_page(fetch, start=start, size=page.size)
    edges = [Edge(backends.sealer.seal_ids(scope, key), item) for key, item in filled.items]
    return Connection(
        edges,
        PageInfo(
            has_next_page=filled.has_more,
            has_previous_page=page.cursor is not None,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=backends.sealer.seal_ids(scope, filled.end) if filled.end is not None else page.cursor,
        ),
    )
