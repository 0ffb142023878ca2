"""The usual page of a feed from what the process remembers, confirmed by the truth at this moment.

Two short statements, each shared with all requests of the instant, take the place of several of one's own: a look at the
viewer, and, after the timeline, the question whether the posts and authors are still what is remembered. The order of reading
is that of `feed_candidates`, the rule is the one feed rule. Whatever is not usual is left to the other way: it gives no page.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import cast

from cache.timelines import Warmth
from db.post_versions import KnownPost
from domain.engagement import ViewerMarks
from domain.errors import CacheUnavailableError
from domain.feed import FeedDegradation, FeedEntry, FeedOrder, FeedPage
from domain.ids import MAX_ID
from domain.paging import PageRequest
from services.backends import Backends
from services.feeds.feed_cursors import FeedPlace, place_sealer
from services.feeds.page_shape import DELAYED_AFTER, floor_of, make_page
from services.feeds.quick_candidates import feed_viewer, is_usual, open_posts, read_candidates
from services.feeds.quick_judge import QuickJudge
from services.memory.known_viewers import SeenViewer

_SPARE = 1
"""Candidates beyond the page and the one that says whether more follow: for one that the rule takes away."""
_MORE = 4
"""Times as many are looked at where those were not enough."""
_post_id_of = attrgetter("post.id")
_SEALER = "sealer of places"
"""Among the notes on a viewer."""


async def read_quick_page(
    backends: Backends,
    *,
    viewer_id: int,
    page: PageRequest,
    place: FeedPlace | None,
    order: FeedOrder | None,
    seen: SeenViewer | None,
    with_marks: bool,
) -> FeedPage | None:
    """The page, or None where the other way must be taken. The rest as for `read_home_feed`. Raises UnavailableError."""
    memory = backends.memory
    if memory is None or page.backward or page.size == 0:
        return None
    if place is None and not backends.feed_shelf.knows(viewer_id):
        # The first page that a process reads for somebody makes the copy for bad times; later ones are made in passing.
        return None
    began = time.perf_counter()
    start = place.id if place is not None else MAX_ID
    # A look that was taken at the newest own posts tells those further down, too, where it tells them all.
    if seen is None or not (place is None or seen.look.own_is_whole):
        seen = await memory.viewers.see(viewer_id, below=start)
    if seen is None or not is_usual(seen):
        return None
    viewer = feed_viewer(seen)
    floor = floor_of(viewer, place)
    judge = QuickJudge(backends, memory, seen, viewer)
    for count in (page.size + 1 + _SPARE, _MORE * (page.size + 1)):
        try:
            ids = await read_candidates(backends, seen, viewer.timeline_version, start, floor, count)
        except CacheUnavailableError:
            return None
        if ids is None:
            return None
        found: Mapping[int, KnownPost | None] = {}
        marks: Mapping[int, ViewerMarks] | None = None
        if ids and with_marks:
            found, marks = await memory.posts.find_with_marks(ids, viewer_id)
        elif ids:
            found = await memory.posts.find(ids)
        shown = await judge.judge(ids, found)
        if shown is None:
            return None
        facts, reasons = shown
        if len(facts) > page.size or len(ids) < count:
            break
    else:
        # Too many have been taken away.
        return None
    has_more = len(facts) > page.size
    facts = facts[: page.size]
    shown_ids = [*map(_post_id_of, facts)]
    entries = FeedEntry.of_many(_sealer(backends, seen, floor)(shown_ids), facts, reasons)
    end = shown_ids[-1] if shown_ids else None
    made = make_page(backends, viewer_id, viewer, page, order, entries, has_more, end, floor, _degradations(seen), marks=marks)
    backends.observer.feed_was_read(source=Warmth.WARM.value, seconds=time.perf_counter() - began)
    return made


def _sealer(backends: Backends, seen: SeenViewer, floor: int) -> Callable[[Sequence[int]], list[str]]:
    if floor:
        return place_sealer(backends.sealer, seen.look.viewer_id, floor)
    seal = seen.known.notes.get(_SEALER)
    if seal is None:
        seal = seen.known.notes[_SEALER] = place_sealer(backends.sealer, seen.look.viewer_id, 0)
    return cast("Callable[[Sequence[int]], list[str]]", seal)


def _degradations(seen: SeenViewer) -> list[FeedDegradation]:
    look, known = seen.look, seen.known
    promised = open_posts(look, known)
    is_delayed = bool(promised) and any(look.moment.as_of - since > DELAYED_AFTER for _, since in promised)
    return [FeedDegradation.FAN_OUT_DELAYED] if is_delayed else []
