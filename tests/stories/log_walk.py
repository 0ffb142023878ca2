"""Random walks in which everybody is live: whoever's feed an action changes is told of it by the logs."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from domain.errors import RefusedError
from domain.event_log import BEGINNING, LogEntry, LogPosition
from tests.oracle import expected_entries
from tests.stories import feed_actions, machine_actions, people_actions, post_actions
from tests.stories.scene import Ground, Scene

_LOSING = {"wipe", "save", "restart_with_older_state"}
"""What loses logs, which readers notice: tests/live/test_event_logs.py."""
_ACTIONS = [
    action
    for group in (feed_actions._POSTS, feed_actions._POSTS, feed_actions._PEOPLE, feed_actions._MACHINES)
    for action, weight in group.items()
    for _ in range(weight)
    if action.__name__ not in _LOSING
]
_MUCH = 1_000_000

# What a viewer reads of a post: its own text, and that of the post that it quotes while that is there for all.
_TEXTS = """
    SELECT p.id, p.text, q.text, q.deleted_at IS NULL AND q.visibility <> 'PRIVATE',
      p.shared_post_id, p.is_plain_share, p.author_id
    FROM posts p LEFT JOIN posts q ON q.id = p.shared_post_id
"""
_ROWS = "SELECT id, kind, post_id, author_id FROM outbox ORDER BY id"


class Shown(NamedTuple):
    """An entry of somebody's feed, as it reads."""

    id: int
    root_id: int
    text: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """An action has changed what a viewer sees of a root. `above`: the newest row of the outbox before it."""

    viewer_id: int
    root_id: int
    reason_id: int
    above: int
    action: str


@dataclass
class LogWalk:
    """One walk. `differences`: what everybody must have been told of at its end."""

    scene: Scene
    chance: random.Random
    places: dict[int, LogPosition] = field(default_factory=dict)
    shared_place: LogPosition = BEGINNING
    feeds: dict[int, set[Shown]] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    async def begin(self) -> None:
        logs = self.scene.backends.event_logs
        self.places = await logs.open(self.scene.world.ids.values())
        self.shared_place = await logs.shared_end()
        self.feeds = await self._look()

    async def step(self) -> None:
        action = self.chance.choice(_ACTIONS)
        numbers = [self.chance.randrange(1_000) for _ in range(3)]
        (newest,) = await self.scene.sql("SELECT coalesce(max(id), 0) FROM outbox")
        try:
            await action(self.scene, *numbers)
        except RefusedError:
            return
        (newest_now,) = await self.scene.sql("SELECT coalesce(max(id), 0) FROM outbox")
        feeds = await self._look()
        if newest_now[0] > newest[0]:  # a mute that ends by time writes nothing
            self.differences += [
                Difference(viewer_id, shown.root_id, shown.id, newest[0], action.__name__)
                for viewer_id in feeds
                for shown in feeds[viewer_id] ^ self.feeds[viewer_id]
            ]
        self.feeds = feeds

    async def told(self) -> tuple[dict[int, set[LogEntry]], set[LogEntry]]:
        """What stands in each viewer's log, and in the one for all."""
        logs = self.scene.backends.event_logs
        read = await logs.read(self.places, limit=_MUCH)
        shared = await logs.read_shared(self.shared_place, limit=_MUCH)
        assert shared.is_whole
        assert all(one.is_whole for one in read.values())
        return {viewer_id: set(read[viewer_id].entries) if viewer_id in read else set() for viewer_id in self.places}, set(
            shared.entries
        )

    async def check(self) -> int:
        """Lets the workers end, and looks whether everybody was told; how many differences there were."""
        await machine_actions.crash(self.scene, 0, 0, 0)
        await self.scene.world.drain()
        assert not await self.scene.sql("SELECT FROM outbox WHERE closed_at IS NULL")
        own, shared = await self.told()
        rows = {row[0]: tuple(row[1:]) for row in await self.scene.sql(_ROWS)}
        posts = {row[0]: tuple(row[4:]) for row in await self.scene.sql(_TEXTS)}
        limited = {row[0] for row in await self.scene.sql("SELECT follower_id FROM follows WHERE daily_limit IS NOT NULL")}
        for difference in self.differences:
            entries = own[difference.viewer_id] | shared
            assert any(
                entry.event_id > difference.above and _tells(rows[entry.event_id], posts, difference, limited)
                for entry in entries
            ), f"{difference} is not told by {sorted(entry.event_id for entry in entries)} of {rows}"
        return len(self.differences)

    async def _look(self) -> dict[int, set[Shown]]:
        texts = {row[0]: tuple(row[1:4]) for row in await self.scene.sql(_TEXTS)}
        return {
            viewer_id: {
                Shown(entry.id, entry.root_id, texts[entry.root_id])
                for entry in await expected_entries(self.scene.backends, viewer_id)
            }
            for viewer_id in self.scene.world.ids.values()
        }


def _tells(
    row: tuple[object, ...], posts: Mapping[int, tuple[int | None, bool, int]], difference: Difference, limited: set[int]
) -> bool:
    """Whether a row of the outbox makes a reader look at the root."""
    kind, post_id, author_id = row
    if post_id is None:
        return True
    assert isinstance(post_id, int)
    root_id = difference.root_id
    shared_id, is_share, _ = posts[post_id]
    if post_id == root_id or (is_share and shared_id == root_id) or posts[root_id][0] == post_id:
        return True
    # A post with an older id moves the author's later ones of that day beyond the limit.
    return difference.viewer_id in limited and kind == "post_published" and author_id == posts[difference.reason_id][2]


async def take_walk(ground: Ground, *, seed: int, steps: int) -> int:
    """One walk; how many differences there were. Raises AssertionError where somebody was not told."""
    chance = random.Random(seed)
    people = chance.choice((4, 5, 6, 8))
    follows = [(chance.randrange(1_000), chance.randrange(1_000)) for _ in range(chance.randrange(6, 20))]
    scene = await Scene.open(ground, people=people, follows=follows, window_days=chance.choice((1, 2, 7)))
    try:
        walk = LogWalk(scene, chance)
        for number in range(2 * people):
            await (people_actions.tag if number % 4 == 0 else post_actions.post)(scene, *(chance.randrange(999) for _ in "abc"))
        await walk.begin()
        for _ in range(steps):
            await walk.step()
        return await walk.check()
    finally:
        scene.close()
