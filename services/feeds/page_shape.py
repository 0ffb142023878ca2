"""A page of the home feed from what was found for it: the same whichever way that was."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from db.feed_candidates import FeedViewer
from domain.engagement import ViewerMarks
from domain.feed import FeedDegradation, FeedEntry, FeedOrder, FeedPage, FeedState, FeedStatus
from domain.paging import PageInfo, PageRequest
from services.backends import Backends
from services.feeds.feed_cursors import FeedPlace, Moment, seal_moment, seal_place

DELAYED_AFTER = timedelta(seconds=10)
"""A post whose fan-out is open for so long is worth a word, though the page has it."""


def make_page(
    backends: Backends,
    viewer_id: int,
    viewer: FeedViewer,
    page: PageRequest,
    order: FeedOrder | None,
    edges: list[FeedEntry],
    has_more: bool,
    end: int | None,
    floor: int,
    degradations: list[FeedDegradation],
    *,
    marks: Mapping[int, ViewerMarks] | None = None,
) -> FeedPage:
    """The page of `edges`, which end at the id `end`; in the order in which they were met.

    `floor`: of the walk, see `floor_of`; `order`: as it was asked for; `marks`: as `FeedPage` has them.
    """
    if page.backward:
        edges.reverse()
    sealed = None
    if end is not None:
        # The last entry met, unless the bound on candidates has cut the page short.
        is_last = bool(edges) and end == edges[0 if page.backward else -1].facts.post.id
        last = edges[0 if page.backward else -1].cursor if is_last else None
        sealed = last or seal_place(backends.sealer, viewer_id, FeedPlace(end, floor))
    page_info = _page_info(page, has_more, edges, sealed)
    if (order or viewer.preferences.default_order) is FeedOrder.RANKED:
        degradations.append(FeedDegradation.RANKER_UNAVAILABLE)
    return FeedPage(
        edges=edges,
        page_info=page_info,
        status=FeedStatus(
            state=_state(viewer, page, page_info, floor, is_empty=not edges),
            complete=True,
            as_of=viewer.as_of,
            order=FeedOrder.LATEST,
            ranked_by=None,
            degradations=degradations,
        ),
        marks=marks,
        moment=lambda: seal_moment(backends.sealer, viewer_id, Moment(viewer.snapshot, viewer.as_of)),
    )


def floor_of(viewer: FeedViewer, place: FeedPlace | None) -> int:
    """Below which the walk shows nothing: what had been seen when it began, for those who do not want to see it again."""
    if place is not None and place.floor is not None:
        return place.floor
    return viewer.position if viewer.preferences.hide_seen else 0


def _page_info(page: PageRequest, has_more: bool, edges: list[FeedEntry], end: str | None) -> PageInfo:
    first = edges[0].cursor if edges else None
    last = edges[-1].cursor if edges else None
    came_from = page.cursor is not None
    end = end or page.cursor
    if page.backward:
        return PageInfo(has_next_page=came_from, has_previous_page=has_more, start_cursor=end, end_cursor=last)
    return PageInfo(has_next_page=has_more, has_previous_page=came_from, start_cursor=first, end_cursor=end)


def _state(viewer: FeedViewer, page: PageRequest, page_info: PageInfo, floor: int, *, is_empty: bool) -> FeedState:
    if page_info.has_next_page:
        return FeedState.READY
    # With a floor the page leaves out what was seen, so there were posts.
    if is_empty and page.cursor is None and floor == 0:
        return FeedState.EMPTY_NO_POSTS if viewer.has_sources else FeedState.EMPTY_NO_FOLLOWS
    return FeedState.END_OF_FEED
