"""Pages against the truth: any size, any cursor ever given out, both directions; the reader's place; explanations."""

from __future__ import annotations

from collections.abc import Sequence

from domain.feed import FeedDegradation, FeedPage, FeedReason, FeedReasonKind, FeedRule, FeedState
from domain.timeline_differences import TimelineFault
from services.feeds.audit_timelines import audit_timeline
from services.feeds.explain_feed_post import explain_feed_post
from services.feeds.feed_cursors import open_place
from services.feeds.feed_entry import MAX_NAMED
from services.feeds.feed_position import read_feed_position
from tests.oracle import ExpectedEntry, ExpectedReason, expected_entries
from tests.stories.explanations import is_consistent
from tests.stories.scene import Mark, Scene
from tests.world import ids

SIZES = (1, 2, 3, 5, 8, 50)
_MAX_UNSEEN = 1_000


async def check_page(scene: Scene, a: int, b: int, c: int) -> None:
    """One page: from an end, or behind or before any cursor that the viewer has ever had."""
    viewer = scene.name(a)
    known = scene.marks.get(scene.world.ids[viewer], [])
    mark = known[c // 4 % len(known)] if known and c % 4 else None
    is_backward = c % 2 == 1 or (mark is None and c % 8 == 4)
    await check_from(scene, viewer, SIZES[b % len(SIZES)], mark, is_backward=is_backward)


async def check_from(scene: Scene, viewer: str, size: int, mark: Mark | None, *, is_backward: bool = False) -> None:
    """One page from there."""
    viewer_id = scene.world.ids[viewer]
    if not await scene.is_awake(viewer_id):
        return
    expected = await _expected(scene, viewer_id, mark)
    page = await scene.world.page(viewer, size, mark.cursor if mark else None, backward=is_backward)
    if is_backward:
        _check_backward(viewer, page, size, expected, mark.id if mark else 0)
    else:
        await _check_forward(scene, viewer, page, size, expected, mark)


async def check_nothing_asked(scene: Scene, viewer: str) -> None:
    """`first: 0` is empty, and knows whether there is more."""
    expected = await _expected(scene, scene.world.ids[viewer], None)
    empty = await scene.world.page(viewer, 0)
    assert ids(empty) == []
    assert empty.page_info.has_next_page == bool(expected), "first: 0 knows whether there is more"


async def check_walk(scene: Scene, viewer: str, size: int) -> None:
    """The whole feed from its newest entry to its end."""
    viewer_id = scene.world.ids[viewer]
    if not await scene.is_awake(viewer_id):
        return
    expected = await _expected(scene, viewer_id, None)
    floor = await _present_floor(scene, viewer_id)
    mark, rounds = None, 0
    while True:
        page = await scene.world.page(viewer, size, mark.cursor if mark else None)
        await _check_forward(scene, viewer, page, size, expected, mark)
        rounds += 1
        assert rounds <= len(expected) + 1, f"{viewer}: the scroll does not end"
        if not page.page_info.has_next_page:
            return
        assert page.page_info.end_cursor is not None
        mark = Mark(page.page_info.end_cursor, ids(page)[-1], floor)


async def check_position(scene: Scene, viewer_id: int) -> None:
    """The viewer's place is where it was last told to be, and the count is of what lies above it."""
    if not await scene.is_awake(viewer_id):
        return
    position = scene.positions.get(viewer_id, 0)
    told = await read_feed_position(scene.backends, viewer_id=viewer_id)
    place = open_place(scene.backends.sealer, viewer_id, told.cursor).id if told.cursor else 0
    assert place == position, f"the position is {place} instead of {position}"
    above = [entry.id for entry in await expected_entries(scene.backends, viewer_id) if entry.id > position]
    assert told.unseen_count == min(len(above), _MAX_UNSEEN), f"{told.unseen_count} unseen above {position} in {above}"
    if told.cursor:
        scene.remember(viewer_id, [Mark(told.cursor, place, None)])


async def check_explanation(scene: Scene, viewer_id: int, post_id: int) -> None:
    """SHOWN for what is in the feed and nothing else; any other rule is one that holds."""
    if not await scene.is_awake(viewer_id):
        return
    explained = await explain_feed_post(scene.backends, viewer_id=viewer_id, post_id=post_id)
    entries = await _expected(scene, viewer_id, None)
    is_shown = any(post_id in (entry.id, entry.root_id) for entry in entries)
    if explained.rule is FeedRule.ALREADY_SEEN:
        entries = [entry for entry in await expected_entries(scene.backends, viewer_id) if post_id in (entry.id, entry.root_id)]
        assert entries, f"{post_id} was never shown"
        assert not is_shown
    else:
        assert explained.shown == is_shown == (explained.rule is FeedRule.SHOWN), f"{post_id}: {explained.rule}, in {entries}"
        assert await is_consistent(scene, explained.rule, viewer_id, post_id), f"{post_id} is said to be {explained.rule}"


async def check_all(scene: Scene, a: int) -> None:
    """Everybody: as it is, cold, with all promises kept; and the timelines themselves."""
    await scene.sql("UPDATE users SET suspended_at = NULL")
    for place, name in enumerate(scene.names):
        await check_walk(scene, name, SIZES[(a + place) % len(SIZES)] + 1)
        await check_position(scene, scene.world.ids[name])
    await scene.sql("UPDATE outbox SET next_attempt_at = clock_timestamp() WHERE closed_at IS NULL")
    await scene.world.drain()
    assert await scene.sql("SELECT id FROM outbox WHERE closed_at IS NULL") == []
    for name in scene.names:
        viewer_id = scene.world.ids[name]
        audit = await audit_timeline(scene.backends, viewer_id)
        wrong = [one for one in audit.differences if not (scene.had_races and one.fault is TimelineFault.FOREIGN)]
        assert not wrong, f"{name}: {audit}"
        await check_walk(scene, name, 20)
    await scene.backends.timelines.forget(list(scene.world.ids.values()))
    await check_walk(scene, scene.name(a), 4)
    await check_nothing_asked(scene, scene.name(a))


async def _expected(scene: Scene, viewer_id: int, mark: Mark | None) -> list[ExpectedEntry]:
    """What a walk from the mark on may show: one that begins now leaves out what was seen, for those who want that."""
    floor = mark.floor if mark is not None else None
    if floor is None:
        floor = await _present_floor(scene, viewer_id)
    return [entry for entry in await expected_entries(scene.backends, viewer_id) if entry.id > floor]


async def _present_floor(scene: Scene, viewer_id: int) -> int:
    rows = await scene.sql("SELECT 1 FROM users WHERE id = $1 AND (settings ->> 'hide_seen')::boolean", viewer_id)
    return scene.positions.get(viewer_id, 0) if rows else 0


async def _check_forward(
    scene: Scene, viewer: str, page: FeedPage, size: int, expected: list[ExpectedEntry], mark: Mark | None
) -> None:
    viewer_id = scene.world.ids[viewer]
    rest = [entry for entry in expected if mark is None or entry.id < mark.id]
    _check_entries(viewer, page, rest[:size], f"first: {size}, after: {mark and mark.id}")
    assert page.page_info.has_next_page == (len(rest) > size), f"{viewer}: hasNextPage of {ids(page)} in {rest}"
    assert page.page_info.has_previous_page == (mark is not None)
    floor = mark.floor if mark is not None and mark.floor is not None else await _present_floor(scene, viewer_id)
    if page.page_info.has_next_page:
        assert page.status.state is FeedState.READY
    elif not page.edges and mark is None and floor == 0:
        state = FeedState.EMPTY_NO_POSTS if await _has_sources(scene, viewer_id) else FeedState.EMPTY_NO_FOLLOWS
        assert page.status.state is state, f"{viewer}: {page.status.state} instead of {state}"
    else:
        assert page.status.state is FeedState.END_OF_FEED, f"{viewer}: {page.status.state}"
    if page.edges:
        assert page.page_info.start_cursor == page.edges[0].cursor
        assert page.page_info.end_cursor == page.edges[-1].cursor
    scene.remember(viewer_id, [Mark(edge.cursor, edge.node.id, floor) for edge in page.edges])


async def _has_sources(scene: Scene, viewer_id: int) -> bool:
    rows = await scene.sql(
        "SELECT 1 FROM follows WHERE follower_id = $1 UNION ALL SELECT 1 FROM kept_follows WHERE viewer_id = $1"
        " UNION ALL SELECT 1 FROM hashtag_follows WHERE user_id = $1",
        viewer_id,
    )
    return bool(rows)


def _check_backward(viewer: str, page: FeedPage, size: int, expected: list[ExpectedEntry], position: int) -> None:
    newer = [entry for entry in expected if entry.id > position]
    _check_entries(viewer, page, newer[-size:], f"last: {size}, before: {position}")
    assert page.page_info.has_previous_page == (len(newer) > size), f"{viewer}: hasPreviousPage of {ids(page)} in {newer}"


def _check_entries(viewer: str, page: FeedPage, expected: Sequence[ExpectedEntry], asked: str) -> None:
    wanted = [entry.id for entry in expected]
    assert ids(page) == wanted, f"{viewer}, {asked}: {ids(page)} instead of {wanted}"
    assert page.status.complete
    assert FeedDegradation.CACHE_UNAVAILABLE not in page.status.degradations
    for edge, entry in zip(page.edges, expected, strict=True):
        assert edge.node.root_id == entry.root_id
        told, meant = _as_told(edge.reasons), _as_meant(entry.reasons)
        assert told == meant, f"{viewer}, {asked}: {entry.id} because of {told} instead of {meant}"


_Told = tuple[str, list[int], int, int | None]


def _as_told(reasons: Sequence[FeedReason]) -> list[_Told]:
    told = [(reason.kind.value, [user.id for user in reason.users], reason.user_count, reason.hashtag_id) for reason in reasons]
    return sorted(told, key=str)


def _as_meant(reasons: Sequence[ExpectedReason]) -> list[_Told]:
    """`reasons` come newest first."""
    meant: list[_Told] = []
    sharers = [reason.via for reason in reasons if reason.kind == FeedReasonKind.FOLLOWED_SHARER.value]
    for reason in reasons:
        if reason.kind == FeedReasonKind.OWN_POST.value:
            meant.append((reason.kind, [], 0, None))
        elif reason.kind == FeedReasonKind.FOLLOWED_AUTHOR.value:
            meant.append((reason.kind, [reason.via], 1, None))
        elif reason.kind == FeedReasonKind.FOLLOWED_HASHTAG.value:
            meant.append((reason.kind, [], 0, reason.via))
    if sharers:
        meant.append((FeedReasonKind.FOLLOWED_SHARER.value, sharers[:MAX_NAMED], len(sharers), None))
    return sorted(meant, key=str)
