"""Use case: posts and quotes by what they say, newest first."""

from __future__ import annotations

from db.database import ReadSession
from db.post_search import PostCondition, find_posts, prepare_search
from db.posts import load_posts
from domain.cursors import CursorScope
from domain.errors import InvalidCursorError
from domain.ids import MAX_ID
from domain.paging import Connection, PageInfo, PageRequest
from domain.records import VisiblePost
from domain.search_query import parse_query
from services.backends import Backends
from services.page_by_id import open_below, page_by_id
from services.posts.load_visible_posts import only_visible

_NOTHING: Connection[VisiblePost] = Connection([], PageInfo(False, False, None, None))


async def search_posts(backends: Backends, *, query: str, viewer_id: int | None, page: PageRequest) -> Connection[VisiblePost]:
    """A full page of those that the viewer may see, as long as there are any.

    Words are found whole, in scripts without spaces anywhere. Where nothing is found so, the query is asked once more by
    parts of words, and the cursors say which way they go. Raises InvalidArgumentError for a query that is blank, over-long
    or holds control characters, InvalidCursorError.
    """
    alternatives = parse_query(query)
    by_words, by_parts = (CursorScope(f"search.posts:{way}:{query}", viewer_id) for way in ("words", "parts"))
    scope, start = _place(backends, by_words, by_parts, page)
    async with backends.database.snapshot_reading() as session:
        search = await prepare_search(session, alternatives) if alternatives else None
        if search is None:
            return _NOTHING
        if scope is by_words:
            found = await _page(backends, session, search.by_words, scope, page, start, viewer_id)
            if found.edges or found.page_info.has_next_page or page.cursor is not None or page.size == 0:
                return found
        if search.by_parts is None:
            return _NOTHING
        return await _page(backends, session, search.by_parts, by_parts, page, start, viewer_id)


def _place(backends: Backends, by_words: CursorScope, by_parts: CursorScope, page: PageRequest) -> tuple[CursorScope, int]:
    if page.cursor is None:
        return by_words, MAX_ID
    try:
        return by_words, open_below(backends, by_words, page)
    except InvalidCursorError:
        return by_parts, open_below(backends, by_parts, page)


async def _page(
    backends: Backends,
    session: ReadSession,
    condition: PostCondition,
    scope: CursorScope,
    page: PageRequest,
    start: int,
    viewer_id: int | None,
) -> Connection[VisiblePost]:
    async def fetch(below_id: int, size: int) -> list[tuple[int, VisiblePost | None]]:
        post_ids = await find_posts(session, condition, below_id=below_id, size=size)
        loaded = await load_posts(session, post_ids, viewer_id=viewer_id)
        return [
            (post_id, only_visible(loaded[post_id], viewer_id=viewer_id) if post_id in loaded else None) for post_id in post_ids
        ]

    return await page_by_id(backends, scope, page, start=start, fetch=fetch)
