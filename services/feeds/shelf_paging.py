"""Pages within a copy of a feed's newest part. Pure: what a walk finds in it, and where it must not go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.feed import FeedEntry
from domain.ids import MAX_ID
from domain.paging import PageInfo, PageRequest
from services.feeds.feed_cursors import FeedPlace
from services.feeds.shelf_format import ShelvedPage


@dataclass(frozen=True, slots=True)
class ShelfPart:
    """`end`: from which id a walk goes on; None where nothing was looked at."""

    edges: Sequence[FeedEntry]
    has_more: bool
    end: int | None
    floor: int


def part_of_shelf(
    shelved: ShelvedPage, entries: Sequence[FeedEntry], page: PageRequest, place: FeedPlace | None
) -> ShelfPart | None:
    """The asked part of those `entries` of a copy that may still be shown; None where it lies beyond the copy."""
    floor = place.floor if place is not None and place.floor is not None else shelved.floor
    # The copy was made above its own floor: a walk that sees more has more below.
    has_below = shelved.has_more or floor < shelved.floor
    visible = [entry for entry in entries if entry.node.id > floor]
    position = place.id if place is not None else (0 if page.backward else MAX_ID)
    if page.backward:
        if has_below and position < shelved.end:
            return None
        newer = [entry for entry in visible if entry.node.id > position]
        edges = newer[-page.size :] if page.size else []
        return ShelfPart(edges, len(newer) > page.size, edges[0].node.id if edges else None, floor)
    if has_below and position <= shelved.end:
        return None
    older = [entry for entry in visible if entry.node.id < position]
    edges = older[: page.size]
    if len(older) > page.size:
        return ShelfPart(edges, True, edges[-1].node.id if edges else None, floor)
    # The last of them may have been left out: the walk goes on where the copy ends.
    return ShelfPart(edges, has_below, shelved.end if shelved.entries else None, floor)


def page_info_of(part: ShelfPart, page: PageRequest, end_cursor: str | None) -> PageInfo:
    """As of a page from the database. `end_cursor`: the sealed end of the part."""
    first = part.edges[0].cursor if part.edges else None
    last = part.edges[-1].cursor if part.edges else None
    came_from = page.cursor is not None
    end = end_cursor or page.cursor
    if page.backward:
        return PageInfo(has_next_page=came_from, has_previous_page=part.has_more, start_cursor=end, end_cursor=last)
    return PageInfo(has_next_page=part.has_more, has_previous_page=came_from, start_cursor=first, end_cursor=end)
