"""The candidates of a feed from a look at the viewer and from the caches, as far as these tell them all.

The order of reading is that of `feed_candidates`: the look came first.
"""

from __future__ import annotations

from typing import cast

from cache.pulled_posts import KEYS_PER_CALL, WantedLists
from cache.timelines import Warmth
from db.feed_candidates import FeedViewer
from db.viewer_looks import KnownViewer, OpenPost, ViewerLook
from domain.ids import MAX_ID
from domain.timeline_version import TimelineVersion
from services.backends import Backends
from services.memory.known_viewers import SeenViewer

_LISTS = "lists of pulled posts"
"""Among the notes on a viewer."""


def is_usual(seen: SeenViewer) -> bool:
    """Whether the quick way can be taken for the viewer."""
    known = seen.known
    return not (known.user.is_suspended or known.has_kept_history or seen.look.moment.open_posts is None)


def feed_viewer(seen: SeenViewer) -> FeedViewer:
    """The viewer as the long way has them."""
    look, known = seen.look, seen.known
    return FeedViewer(
        database_identity=look.moment.identity,
        graph_version=known.graph_version,
        following_count=known.user.following_count,
        as_of=look.moment.as_of,
        snapshot=look.moment.snapshot,
        preferences=known.preferences,
        position=look.position,
        follows_hashtags=known.follows_hashtags,
        has_kept_history=known.has_kept_history,
    )


async def read_candidates(
    backends: Backends,
    seen: SeenViewer,
    version: TimelineVersion,
    start: int,
    floor: int,
    count: int,
    *,
    own_apart: bool = False,
) -> list[int] | None:
    """The next `count` ids below `start`, fewer where there are no more; None where the caches do not tell them all.

    `own_apart`: own posts are asked for elsewhere, and may be missing.
    The look came first: a post whose fan-out has ended since is in the timeline, one that had ended before it in any case.
    Raises CacheUnavailableError.
    """
    look, known = seen.look, seen.known
    lists = _wanted_lists(backends, known)
    pulled = None
    if lists is not None and len(lists.authors) <= KEYS_PER_CALL:
        timeline, pulled = await backends.pulled_posts.read_older_with(
            backends.timelines, look.viewer_id, lists, version=version, below=start, size=count
        )
    else:
        timeline = await backends.timelines.read_older(look.viewer_id, version=version, below=start, size=count)
        if lists is not None:
            pulled = await backends.pulled_posts.read_merged(known.pulled, position=start, newer=False, size=count)
    if timeline.warmth is not Warmth.WARM or not timeline.covers:
        return None
    ids = {*timeline.ids, *_open_ids(look, known, start)}
    ids.update(look.own_ids if start >= MAX_ID else [post_id for post_id in look.own_ids if post_id < start])
    if known.follows_hashtags:
        assert backends.memory is not None, "asked before"
        ids.update(await backends.memory.facts.tagged_ids(look.viewer_id, below=start, size=count))
    if pulled is not None:
        if pulled.cold or pulled.short:
            return None
        ids.update(pulled.ids)
    newest = sorted(ids, reverse=True)[:count]
    if not (look.own_is_whole or own_apart):
        # Below the last own post that the look has named there may be others.
        last_own = look.own_ids[-1]
        if floor < last_own and (len(newest) < count or newest[-1] < last_own):
            return None
    while newest and newest[-1] <= floor:
        newest.pop()
    return newest


def _wanted_lists(backends: Backends, known: KnownViewer) -> WantedLists | None:
    if not known.pulled:
        return None
    wanted = known.notes.get(_LISTS)
    if wanted is None:
        wanted = known.notes[_LISTS] = backends.pulled_posts.want(known.pulled)
    return cast("WantedLists", wanted)


def _open_ids(look: ViewerLook, known: KnownViewer, start: int) -> list[int]:
    found = open_posts(look, known)
    return [post_id for post_id, _ in found if post_id < start] if found else []


def open_posts(look: ViewerLook, known: KnownViewer) -> list[OpenPost]:
    """Those of the viewer's sources."""
    promised = look.moment.open_posts
    if not promised:
        return []
    return [one for author_id in promised.keys() & known.sources.keys() for one in promised[author_id]]
