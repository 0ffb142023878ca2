"""What somebody is told, after the workers have had their turn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from domain.ids import TIME_SHIFT
from domain.notifications import NotificationRecord
from domain.paging import Connection, PageRequest
from services.backends import Backends
from services.engagement.add_comment import add_comment
from services.engagement.delete_comment import delete_comment
from services.engagement.like_post import like_post, unlike_post
from services.notifications.list_notifications import list_notifications
from services.notifications.process_activities import process_activities
from tests.services.graph.facts import execute, query
from tests.world import World

Told = tuple[str, int | None, tuple[str, ...], int]
"""(kind, post, who, how many)"""


@dataclass(frozen=True)
class Telling:
    """People of a world who do things, and what the others hear of it."""

    world: World

    @property
    def backends(self) -> Backends:
        return self.world.backends

    async def like(self, name: str, post_id: int) -> None:
        await like_post(self.backends, viewer_id=self.world.ids[name], post_id=post_id)

    async def unlike(self, name: str, post_id: int) -> None:
        await unlike_post(self.backends, viewer_id=self.world.ids[name], post_id=post_id)

    async def comment(self, name: str, post_id: int, body: str = "well") -> int:
        edge, _ = await add_comment(self.backends, viewer_id=self.world.ids[name], post_id=post_id, body=body)
        assert edge is not None
        return edge.node.id

    async def uncomment(self, name: str, comment_id: int) -> None:
        await delete_comment(self.backends, viewer_id=self.world.ids[name], comment_id=comment_id)

    async def process(self) -> int:
        """Until nothing is due; how many rows were taken."""
        taken = 0
        while True:
            processed = await process_activities(self.backends)
            if not processed.taken:
                return taken
            assert not processed.failed
            taken += processed.taken

    async def page(self, name: str, size: int = 20, cursor: str | None = None) -> Connection[NotificationRecord]:
        return await list_notifications(self.backends, viewer_id=self.world.ids[name], page=PageRequest(size, cursor))

    async def records(self, name: str) -> list[NotificationRecord]:
        await self.process()
        return (await self.page(name, 100)).nodes

    async def told(self, name: str) -> list[Told]:
        """What the list shows, the newest first."""
        names = {number: known for known, number in self.world.ids.items()}
        return [
            (one.kind.value, one.post_id, tuple(names[actor] for actor in one.actor_ids), one.actor_count)
            for one in await self.records(name)
        ]

    async def age(self, by: timedelta) -> None:
        """As if all groups had begun, and all that was read had been read, so much earlier."""
        await self.process()
        shift = by // timedelta(milliseconds=1) << TIME_SHIFT
        await execute(self.world, "UPDATE notification_actors SET notification_id = notification_id - :shift", shift=shift)
        await execute(self.world, "UPDATE notifications SET id = id - :shift, place = place - :shift", shift=shift)
        await execute(self.world, "UPDATE notification_positions SET read_to = read_to - :shift WHERE read_to > 0", shift=shift)

    async def rows(self, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
        return await query(self.world, statement, **parameters)
