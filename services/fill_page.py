"""Fills a page from candidates of which a filter takes some away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

MAX_EXAMINED = 2_000
"""Candidates that one request looks at. Only beyond that may a page be short with more to come."""

K = TypeVar("K")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FilledPage(Generic[K, T]):
    """At most `size` items with their keys; `end` is the key to go on from (None: where the page began)."""

    items: list[tuple[K, T]]
    has_more: bool
    end: K | None


async def fill_page(fetch: Callable[[K, int], Awaitable[list[tuple[K, T | None]]]], *, start: K, size: int) -> FilledPage[K, T]:
    """Calls `fetch(position, count)` until `size` items passed the filter and one more is known to exist, or none is left.

    `fetch` gives the next `count` candidates beyond `position` in page order, None for those that the filter took; fewer than
    `count` means that there are no more. At most MAX_EXAMINED candidates are looked at, in growing rounds. The page ends at its
    last item; only one that the bound has cut short ends at the last candidate examined, so that the next page goes on there.
    """
    kept: list[tuple[K, T]] = []
    position = start
    examined = 0
    while examined < MAX_EXAMINED:
        count = min(MAX_EXAMINED - examined, max(size + 1, 2 * examined))
        candidates = await fetch(position, count)
        examined += len(candidates)
        for key, item in candidates:
            if item is not None:
                if len(kept) == size:
                    return FilledPage(kept, has_more=True, end=kept[-1][0] if kept else None)
                kept.append((key, item))
            position = key
        if len(candidates) < count:
            # Nothing but what is hidden is the same answer as nothing: a position would tell that there is something, and when.
            return FilledPage(kept, has_more=False, end=kept[-1][0] if kept else None)
    return FilledPage(kept, has_more=True, end=position)
