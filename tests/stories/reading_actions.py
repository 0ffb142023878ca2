"""What readers of a random walk do, and what is checked while they do it."""

from __future__ import annotations

import asyncio

from domain.errors import RefusedError
from services.feeds.feed_cursors import open_place
from services.feeds.feed_position import mark_feed_seen
from services.preferences.update_preferences import update_preferences
from tests.oracle import expected_feed
from tests.stories import machine_actions, people_actions, post_actions
from tests.stories.feed_checks import SIZES, check_explanation, check_from, check_page, check_position, check_walk
from tests.stories.scene import Mark, Scene
from tests.world import ids

_CHANGES = (
    post_actions.post,
    post_actions.delete,
    post_actions.edit,
    post_actions.share,
    post_actions.unshare,
    people_actions.follow,
    people_actions.unfollow,
    people_actions.block,
)


async def read_page(scene: Scene, a: int, b: int, c: int) -> None:
    await check_page(scene, a, b, c)


async def walk(scene: Scene, a: int, b: int, _: int) -> None:
    await check_walk(scene, scene.name(a), SIZES[b % len(SIZES)])


async def warm(scene: Scene, a: int, b: int, c: int) -> None:
    """Several readers look at their newest entries."""
    for number in range(a, a + 1 + b % 4):
        await check_page(scene, number, c, 0)


async def explain(scene: Scene, a: int, b: int, _: int) -> None:
    rows = await scene.sql("SELECT id FROM posts ORDER BY id DESC")
    if rows:
        await check_explanation(scene, scene.id(a), rows[b % len(rows)][0])


async def look_at_position(scene: Scene, a: int, _b: int, _c: int) -> None:
    await check_position(scene, scene.id(a))


async def mark_seen(scene: Scene, a: int, b: int, c: int) -> None:
    """From several devices at once: the furthest place wins, and nobody is refused."""
    viewer_id = scene.id(a)
    known = scene.marks.get(viewer_id)
    if not known or not await scene.is_awake(viewer_id):
        return
    chosen = [known[(b - number * 7) % len(known)] for number in range(1 + c % 3)]
    told = await asyncio.gather(*(mark_feed_seen(scene.backends, viewer_id=viewer_id, cursor=one.cursor) for one in chosen))
    furthest = max(scene.positions.get(viewer_id, 0), *(one.id for one in chosen))
    for one, position in zip(chosen, told, strict=True):
        assert position.cursor is not None
        place = open_place(scene.backends.sealer, viewer_id, position.cursor).id
        assert one.id <= place <= furthest, f"marked {one.id}, told {place}, furthest {furthest}"
    scene.positions[viewer_id] = furthest
    await check_position(scene, viewer_id)


async def scroll_and_mark(scene: Scene, a: int, b: int, c: int) -> None:
    """Down a few pages, marking what was read on the way; with hideSeen that is left out only by the next walk."""
    viewer_id = scene.id(a)
    if c % 2:
        await update_preferences(
            scene.backends, viewer_id=viewer_id, default_order=None, muted_words=None, hide_shares=None, hide_seen=True
        )
    await check_from(scene, scene.name(a), 1 + b % 4, None)
    for _ in range(1 + c % 3):
        await mark_seen(scene, a, -1, 0)
        known = scene.marks.get(viewer_id)
        if known:
            await check_from(scene, scene.name(a), 1 + b % 4, known[-1])


async def read_while_it_happens(scene: Scene, a: int, b: int, c: int) -> None:
    """Two readers at once, a worker, and one change: what was there before and after is on every page."""
    viewer, viewer_id = scene.name(a), scene.id(a)
    if not await scene.is_awake(viewer_id):
        return
    change = _CHANGES[b % len(_CHANGES)]
    actor = a if change in (people_actions.follow, people_actions.unfollow, people_actions.block) else c
    scene.had_races = True
    if c % 2:
        await scene.backends.timelines.forget([viewer_id])
    if c % 3 == 0:
        await scene.backends.pulled_authors.forget(viewer_id)
        await scene.backends.pulled_posts.forget(list(scene.world.ids.values()))
    before = set(await expected_feed(scene.backends, viewer_id))

    async def happen() -> None:
        try:
            # Not a block that is taken back at once: between the two is a third state.
            await change(scene, actor, b, c if change is not people_actions.block else 1)
        except RefusedError:
            return

    first, second, *_rest = await asyncio.gather(
        scene.world.page(viewer, 100),
        scene.world.page(viewer, 100),
        machine_actions.deliver(scene, b, c, 0),
        machine_actions.deliver(scene, c, b, 0),
        happen(),
    )
    after = set(await expected_feed(scene.backends, viewer_id))
    hides_seen = await scene.sql("SELECT 1 FROM users WHERE id = $1 AND settings ? 'hide_seen'", viewer_id)
    floor = scene.positions.get(viewer_id, 0) if hides_seen else 0
    before, after = {one for one in before if one > floor}, {one for one in after if one > floor}
    for page in (first, second):
        found = ids(page)
        assert found == sorted(set(found), reverse=True), f"out of order or twice: {found}"
        assert before & after <= set(found) <= before | after, f"read during {change.__name__}: {found}, {before}, {after}"
        scene.remember(viewer_id, [Mark(edge.cursor, edge.node.id, floor) for edge in page.edges])
