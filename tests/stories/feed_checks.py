"""Pages against the truth: any size, any cursor ever given out, both directions."""

from __future__ import annotations

from dataclasses import dataclass

from domain.feed import FeedDegradation, FeedPage, FeedState
from services.feeds.audit_timelines import audit_timeline
from tests.oracle import expected_feed
from tests.stories.feed_actions import Scene
from tests.world import ids

_SIZES = (1, 2, 3, 5, 8, 50)
_KEPT_CURSORS = 30


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a walk met a page that is not the truth."""

    step_number: int
    step: str
    message: str

    def __str__(self) -> str:
        return f"step {self.step_number}, {self.step}: {self.message}"


async def check_one(scene: Scene, a: int, b: int, c: int) -> None:
    """One viewer, in one of five ways."""
    viewer = scene.name(a // 7)
    if not await _is_awake(scene, viewer):
        return
    size = _SIZES[b % len(_SIZES)]
    expected = await expected_feed(scene.backends, scene.world.ids[viewer])
    known = scene.cursors.get(scene.world.ids[viewer], [])
    way = c % 6
    if way <= 1 or not known:
        await _check_walk(scene, viewer, size, expected)
    elif way <= 3:
        cursor, position = known[a % len(known)]
        _check_forward(scene, viewer, await scene.world.page(viewer, size, cursor), size, expected, position)
    elif way == 4:
        cursor, position = known[a % len(known)]
        _check_backward(viewer, await scene.world.page(viewer, size, cursor, backward=True), size, expected, position)
    else:
        _check_backward(viewer, await scene.world.page(viewer, size, None, backward=True), size, expected, 0)
        empty = await scene.world.page(viewer, 0)
        assert ids(empty) == []
        assert empty.page_info.has_next_page == bool(expected), "first: 0 knows whether there is more"


async def check_all(scene: Scene) -> None:
    """Everybody, by the timeline as it is, then cold, then warm, and the timelines themselves."""
    await scene.sql("UPDATE users SET suspended_at = NULL")
    for size in (3, 7):
        await _check_everybody(scene, size)
    await scene.sql("UPDATE outbox SET next_attempt_at = clock_timestamp() WHERE closed_at IS NULL")
    await scene.world.drain()
    assert await scene.sql("SELECT id FROM outbox WHERE closed_at IS NULL") == []
    await _check_everybody(scene, 4)
    for name in scene.names:
        audit = await audit_timeline(scene.backends, scene.world.ids[name])
        assert audit.is_right, f"{name}: {audit}"


async def _check_everybody(scene: Scene, size: int) -> None:
    for name in scene.names:
        await _check_walk(scene, name, size, await expected_feed(scene.backends, scene.world.ids[name]))


async def _check_walk(scene: Scene, viewer: str, size: int, expected: list[int]) -> None:
    position, cursor, rounds = None, None, 0
    while True:
        page = await scene.world.page(viewer, size, cursor)
        _check_forward(scene, viewer, page, size, expected, position)
        rounds += 1
        assert rounds <= len(expected) + 1, f"{viewer}: the scroll does not end"
        if not page.page_info.has_next_page:
            return
        cursor, position = page.page_info.end_cursor, ids(page)[-1]


def _check_forward(scene: Scene, viewer: str, page: FeedPage, size: int, expected: list[int], position: int | None) -> None:
    rest = [post_id for post_id in expected if position is None or post_id < position]
    _check_entries(viewer, page, rest[:size], f"first: {size}, after: {position}")
    assert page.page_info.has_next_page == (len(rest) > size), f"{viewer}: hasNextPage of {ids(page)} in {rest}"
    assert page.page_info.has_previous_page == (position is not None)
    following = viewer_follows(page)
    if page.page_info.has_next_page:
        assert page.status.state is FeedState.READY
    elif not page.edges and position is None:
        assert page.status.state in {FeedState.EMPTY_NO_FOLLOWS, FeedState.EMPTY_NO_POSTS}
    else:
        assert page.status.state is FeedState.END_OF_FEED, f"{viewer}: {page.status.state} {following}"
    if page.edges:
        assert page.page_info.start_cursor == page.edges[0].cursor
        assert page.page_info.end_cursor == page.edges[-1].cursor
    known = scene.cursors.setdefault(scene.world.ids[viewer], [])
    known += [(edge.cursor, edge.node.id) for edge in page.edges]
    del known[:-_KEPT_CURSORS]


def viewer_follows(page: FeedPage) -> list[str]:
    return [user.username for edge in page.edges for reason in edge.reasons for user in reason.users]


def _check_backward(viewer: str, page: FeedPage, size: int, expected: list[int], position: int) -> None:
    newer = [post_id for post_id in expected if post_id > position]
    _check_entries(viewer, page, newer[-size:], f"last: {size}, before: {position}")
    assert page.page_info.has_previous_page == (len(newer) > size), f"{viewer}: hasPreviousPage of {ids(page)} in {newer}"


def _check_entries(viewer: str, page: FeedPage, expected: list[int], asked: str) -> None:
    assert ids(page) == expected, f"{viewer}, {asked}: {ids(page)} instead of {expected}"
    assert page.status.complete
    assert FeedDegradation.CACHE_UNAVAILABLE not in page.status.degradations
    for edge in page.edges:
        assert len(edge.reasons) == 1


async def _is_awake(scene: Scene, name: str) -> bool:
    return bool(await scene.sql("SELECT 1 FROM users WHERE id = :id AND suspended_at IS NULL", id=scene.world.ids[name]))
