"""First pages kept for the time that PostgreSQL is away, and what may still be shown of them then.

A copy is made of a complete first page that was read the long way, at most once in some seconds a viewer and process.
Where pages come from memory, one is read that way in the background, in a small part of the process's time. A copy notes
where the stamps of changes stood before its database read. When it is shown, the stamps are read again: what anybody has
hidden or changed meanwhile is not on it, at the very next request.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from cache.changes import Changes, StampPlace
from cache.shelves import Shelves
from domain import subjects
from domain.cursors import CursorSealer
from domain.errors import CacheUnavailableError, TidingsError
from domain.feed import FeedDegradation, FeedEntry, FeedOrder, FeedPage, FeedState, FeedStatus, PageExtras
from domain.paging import PageRequest
from services.feeds.entry_subjects import subjects_of_entry
from services.feeds.feed_cursors import FeedPlace, seal_no_moment, seal_place
from services.feeds.shelf_format import ShelvedPage, pack_page, unpack_page
from services.feeds.shelf_paging import page_info_of, part_of_shelf

MAX_ENTRIES = 60
EVERY_SECONDS = 10.0
_SMALLER_SECONDS = 60.0
"""So long a copy is kept from one of a smaller page."""
_SHARE_OF_TIME = 0.02
"""Of a process, at most, for copies of pages that were not read the long way in any case."""
_WAITING = 10_000
_READ_SECONDS = 5.0
_REMEMBERED = 50_000
"""Viewers of whom this process remembers when it last made a copy; of a forgotten one it makes another."""


class FeedShelf:
    """The copies that one process makes and shows."""

    def __init__(self, shelves: Shelves, changes: Changes, sealer: CursorSealer) -> None:
        self._shelves = shelves
        self._changes = changes
        self._sealer = sealer
        self._made: OrderedDict[int, tuple[float, int, tuple[str, int] | None]] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._database: str | None = None
        self._waiting: OrderedDict[int, Callable[[], Awaitable[None]]] = OrderedDict()
        self._reading: asyncio.Task[None] | None = None

    def is_due(self, viewer_id: int, page: PageRequest) -> bool:
        """Whether a copy of this page would be made."""
        if page.backward or page.cursor is not None or page.size == 0:
            return False
        return not self._is_fresh(viewer_id, min(page.size, MAX_ENTRIES), time.monotonic())

    def knows(self, viewer_id: int) -> bool:
        """Whether this process has made a copy for the viewer, lately or not."""
        return viewer_id in self._made

    def read_later(self, viewer_id: int, read: Callable[[], Awaitable[None]]) -> None:
        """Has the page read the long way, which makes a copy of it, in the background. Returns at once.

        One at a time, and in a part of the process's time only: a busy process makes the copies of its viewers in turn.
        """
        if len(self._waiting) < _WAITING:
            self._waiting.setdefault(viewer_id, read)
        if self._reading is None or self._reading.done():
            self._reading = asyncio.get_running_loop().create_task(self._read_waiting(), name="shelve-pages")

    async def begin(self, viewer_id: int, page: PageRequest) -> StampPlace | None:
        """Where the stamps stand, where a copy of this page is due; None otherwise. Ask before the database is read."""
        if page.backward or page.cursor is not None or page.size == 0:
            return None
        wanted, now = min(page.size, MAX_ENTRIES), time.monotonic()
        if self._is_fresh(viewer_id, wanted, now):
            return None
        # Before anything is awaited: several requests of one viewer make one copy.
        self._made[viewer_id] = now, wanted, self._changes.origin
        self._made.move_to_end(viewer_id)
        if len(self._made) > _REMEMBERED:
            self._made.popitem(last=False)
        with suppress(CacheUnavailableError):
            stamps = await self._changes.place()
            self._made[viewer_id] = now, wanted, stamps.origin
            return stamps
        self._made.pop(viewer_id, None)
        return None

    def keep(self, viewer_id: int, page: ShelvedPage) -> None:
        """Makes the copy, in the background. Returns at once."""
        self._database = page.database
        if len(page.entries) > MAX_ENTRIES:
            entries = page.entries[:MAX_ENTRIES]
            page = replace(page, entries=entries, has_more=True, end=entries[-1].node.id, state=FeedState.READY)
        task = asyncio.get_running_loop().create_task(self._put(viewer_id, page), name="shelve-page")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def read(
        self, viewer_id: int, page: PageRequest, *, place: FeedPlace | None, order: FeedOrder | None
    ) -> FeedPage | None:
        """What the copy says of the asked page; None where there is no copy, or the page lies beyond it."""
        floor = place.floor if place is not None else None
        try:
            copy = await self._shelves.take_page(viewer_id)
            shelved = unpack_page(copy, self._sealer, viewer_id=viewer_id, floor=floor) if copy is not None else None
            if shelved is None or self._database not in {None, shelved.database}:
                return None
            entries = await self._still_shown(viewer_id, shelved)
        except CacheUnavailableError:
            return None
        part = part_of_shelf(shelved, entries, page, place) if entries is not None else None
        if entries is None or part is None:
            return None
        end = seal_place(self._sealer, viewer_id, FeedPlace(part.end, part.floor)) if part.end is not None else None
        page_info = page_info_of(part, page, end)
        degradations = [FeedDegradation.DATABASE_UNAVAILABLE]
        if (order or shelved.order) is FeedOrder.RANKED:
            degradations.append(FeedDegradation.RANKER_UNAVAILABLE)
        is_whole = len(entries) == len(shelved.entries)
        return FeedPage(
            edges=list(part.edges),
            page_info=page_info,
            status=FeedStatus(
                state=_state(shelved, has_next=page_info.has_next_page),
                complete=False,
                as_of=shelved.as_of,
                order=FeedOrder.LATEST,
                ranked_by=None,
                degradations=degradations,
            ),
            # What was left out may be shown again when its change is known, and no event would say so.
            moment=shelved.event_cursor if is_whole else seal_no_moment(self._sealer, viewer_id),
            extras=shelved.extras,
        )

    async def leave_out_changed(
        self, viewer_id: int, entries: list[FeedEntry], extras: PageExtras, *, after: datetime, hides_seen: bool
    ) -> list[FeedEntry] | None:
        """Of a page that shows a moment: the entries of which nothing has changed after it; None where the page does not count.

        Raises CacheUnavailableError.
        """
        own, by_entry = _depends_on(viewer_id, entries, extras, hides_seen=hides_seen)
        changed = await self._changes.find_changed_after(sorted(own.union(*by_entry)), after)
        return _unchanged(entries, own, by_entry, changed)

    async def close(self) -> None:
        """Gives up what is still under way."""
        self._waiting.clear()
        if self._reading is not None:
            # Not cut off at once: half a command leaves a connection that nobody can use.
            await asyncio.wait([self._reading], timeout=0.3)
            self._tasks.add(self._reading)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=0.3)

    def _is_fresh(self, viewer_id: int, wanted: int, now: float) -> bool:
        made_at, size, origin = self._made.get(viewer_id, (0.0, 0, None))
        is_fresh = wanted <= size and now - made_at < (EVERY_SECONDS if wanted == size else _SMALLER_SECONDS)
        # A cache that was wiped, or came back older, holds no copy of before.
        return bool(made_at) and is_fresh and origin == self._changes.origin

    async def _read_waiting(self) -> None:
        while self._waiting:
            _, read = self._waiting.popitem(last=False)
            began = time.monotonic()
            with suppress(TidingsError, TimeoutError):
                async with asyncio.timeout(_READ_SECONDS):
                    await read()
            if self._waiting:
                await asyncio.sleep((time.monotonic() - began) * (1 / _SHARE_OF_TIME - 1))

    async def _put(self, viewer_id: int, page: ShelvedPage) -> None:
        try:
            await self._shelves.put_page(viewer_id, pack_page(page))
        except CacheUnavailableError:
            self._made.pop(viewer_id, None)

    async def _still_shown(self, viewer_id: int, shelved: ShelvedPage) -> list[FeedEntry] | None:
        """The entries of which nothing has changed; None where the whole copy does not count any more."""
        own, by_entry = _depends_on(viewer_id, shelved.entries, shelved.extras, hides_seen=shelved.hides_seen)
        changed = await self._changes.find_changed(sorted(own.union(*by_entry)), since=shelved.place)
        return _unchanged(shelved.entries, own, by_entry, changed) if changed is not None else None


def _depends_on(
    viewer_id: int, entries: Sequence[FeedEntry], extras: PageExtras, *, hides_seen: bool
) -> tuple[set[str], list[set[str]]]:
    """What a page as a whole depends on, and each of its entries."""
    own = {subjects.preferences(viewer_id)} | ({subjects.position(viewer_id)} if hides_seen else set())
    return own, [subjects_of_entry(entry, extras, viewer_id=viewer_id) for entry in entries]


def _unchanged(
    entries: Sequence[FeedEntry], own: set[str], by_entry: Sequence[set[str]], changed: set[str]
) -> list[FeedEntry] | None:
    if changed & own:
        return None
    return [entry for entry, depends_on in zip(entries, by_entry, strict=True) if not depends_on & changed]


def _state(shelved: ShelvedPage, *, has_next: bool) -> FeedState:
    if has_next:
        return FeedState.READY
    # An empty feed was empty for a reason; any other one ends here.
    return FeedState.END_OF_FEED if shelved.entries else shelved.state
