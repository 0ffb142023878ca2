"""The usual page of a feed from what the process remembers, confirmed by the truth at this moment.

Two short statements, each shared with all requests of the instant, take the place of several of one's own: a look at the
viewer, and, after the timeline, the question whether the posts and authors are still what is remembered. The order of reading
is that of `feed_candidates`, the rule is the one feed rule. Whatever is not usual is left to the other way: it gives no page.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from operator import attrgetter
from typing import TypeAlias, cast

from cache.pulled_posts import KEYS_PER_CALL, WantedLists
from cache.timelines import Warmth
from db.feed_candidates import FeedViewer
from db.post_versions import KnownPost
from db.viewer_looks import KnownViewer, OpenPost, ViewerLook
from domain.engagement import ViewerMarks
from domain.errors import CacheUnavailableError
from domain.feed import FeedDegradation, FeedEntry, FeedOrder, FeedPage, FeedReason
from domain.feed_rule import shows_all_public_posts
from domain.ids import MAX_ID
from domain.paging import PageRequest
from domain.records import NO_RELATION, PostFacts, Visibility
from domain.timeline_version import TimelineVersion
from services.backends import Backends
from services.feeds.feed_cursors import FeedPlace, place_sealer
from services.feeds.feed_entry import makes_reasons, reasons_of_author, reasons_of_own
from services.feeds.judge_reasons import ReasonJudge
from services.feeds.page_shape import DELAYED_AFTER, floor_of, make_page
from services.feeds.remembered_facts import NotRememberedError, RememberedFacts
from services.memory.known_viewers import SeenViewer

_SPARE = 1
"""Candidates beyond the page and the one that says whether more follow: for one that the rule takes away."""
_MORE = 4
"""Times as many are looked at where those were not enough."""

_Shown: TypeAlias = tuple[Sequence[PostFacts], Iterable[Callable[[PostFacts], list[FeedReason]]]]
"""The facts of entries, and what makes their reasons."""
_author_id_of = attrgetter("author.id")
_plain_facts_of = attrgetter("plain_facts")
_post_id_of = attrgetter("post.id")
_get = dict.get
_LISTS, _SEALER = "lists of pulled posts", "sealer of places"
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
    if seen is None or not _is_usual(seen):
        return None
    viewer = _feed_viewer(seen)
    floor = floor_of(viewer, place)
    judge = _Judge(viewer_id, seen.known)
    for count in (page.size + 1 + _SPARE, _MORE * (page.size + 1)):
        try:
            ids = await _candidates(backends, seen, viewer.timeline_version, start, floor, count)
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
        shown = judge.shown([*map(found.__getitem__, ids)])
        if shown is None:
            remembered = RememberedFacts(memory, seen, {reason_id: found[reason_id] for reason_id in ids})
            try:
                judged = await ReasonJudge.on(remembered, backends, viewer_id, viewer).judge(ids)
            except NotRememberedError:
                return None
            kept = [judged[reason_id] for reason_id in ids if reason_id in judged and judged[reason_id].is_shown]
            shown = [one.verdict.reason.facts for one in kept], [makes_reasons(one.named) for one in kept]
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


def _is_usual(seen: SeenViewer) -> bool:
    known = seen.known
    return not (known.user.is_suspended or known.has_kept_history or seen.look.moment.open_posts is None)


def _feed_viewer(seen: SeenViewer) -> FeedViewer:
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


async def _candidates(
    backends: Backends, seen: SeenViewer, version: TimelineVersion, start: int, floor: int, count: int
) -> list[int] | None:
    """The next `count` ids below `start`, fewer where there are no more; None where the caches do not tell them all.

    The look came first: a post whose fan-out has ended since is in the timeline, one that had ended before it in any case.
    Raises CacheUnavailableError.
    """
    look, known = seen.look, seen.known
    lists = _wanted_lists(backends, known)
    pulled = None
    if lists is not None and len(lists.keys) <= KEYS_PER_CALL:
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
    if not look.own_is_whole:
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


def _sealer(backends: Backends, seen: SeenViewer, floor: int) -> Callable[[Sequence[int]], list[str]]:
    if floor:
        return place_sealer(backends.sealer, seen.look.viewer_id, floor)
    seal = seen.known.notes.get(_SEALER)
    if seal is None:
        seal = seen.known.notes[_SEALER] = place_sealer(backends.sealer, seen.look.viewer_id, 0)
    return cast("Callable[[Sequence[int]], list[str]]", seal)


def _open_ids(look: ViewerLook, known: KnownViewer, start: int) -> list[int]:
    open_posts = _open_posts(look, known)
    return [post_id for post_id, _ in open_posts if post_id < start] if open_posts else []


def _open_posts(look: ViewerLook, known: KnownViewer) -> list[OpenPost]:
    """Those of the viewer's sources."""
    open_posts = look.moment.open_posts
    if not open_posts:
        return []
    return [one for author_id in open_posts.keys() & known.sources.keys() for one in open_posts[author_id]]


class _Judge:
    """Says of pages that nobody's shares, limits, mutes or words have a part in what the rule says."""

    def __init__(self, viewer_id: int, known: KnownViewer) -> None:
        self._viewer_id = viewer_id
        self._sources = known.sources
        self._is_plain_viewer = not (known.preferences.muted_words or known.follows_hashtags)

    def shown(self, found: Sequence[KnownPost | None]) -> _Shown | None:
        """Those that are shown, in the given order; None where one of them needs a longer look."""
        if not self._is_plain_viewer:
            return None
        if all(found):
            posts = cast("Sequence[KnownPost]", found)
            relations = map(self._sources.get, map(_author_id_of, posts))
            facts: list[PostFacts | None] = [*map(_get, map(_plain_facts_of, posts), map(id, relations))]
            if all(facts):
                return cast("list[PostFacts]", facts), repeat(reasons_of_author)
        return self._one_by_one(found)

    def _one_by_one(self, found: Sequence[KnownPost | None]) -> _Shown | None:
        shown: list[PostFacts] = []
        reasons: list[Callable[[PostFacts], list[FeedReason]]] = []
        for known in found:
            if known is None:
                continue
            post, author = known.post, known.author
            relation = self._sources.get(author.id)
            facts = known.plain_facts_for(relation) if relation is not None else None
            if facts is not None:
                shown.append(facts)
                reasons.append(reasons_of_author)
                continue
            if post.is_deleted:
                continue
            if post.share_count or post.is_plain_share:
                return None
            if author.id == self._viewer_id:
                shown.append(known.facts_for(NO_RELATION))
                reasons.append(reasons_of_own)
                continue
            if relation is None or not shows_all_public_posts(author, relation):
                return None
            if post.visibility is not Visibility.PUBLIC and not (
                post.visibility is Visibility.FRIENDS and relation.is_followed_by
            ):
                continue
            shown.append(known.facts_for(relation))
            reasons.append(reasons_of_author)
        return shown, reasons


def _degradations(seen: SeenViewer) -> list[FeedDegradation]:
    look, known = seen.look, seen.known
    open_posts = _open_posts(look, known)
    is_delayed = bool(open_posts) and any(look.moment.as_of - since > DELAYED_AFTER for _, since in open_posts)
    return [FeedDegradation.FAN_OUT_DELAYED] if is_delayed else []
