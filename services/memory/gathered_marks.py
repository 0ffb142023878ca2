"""What viewers have done with posts, for many requests in one statement. Nothing of it is remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from db.database import Database
from db.engagement import load_marks_of_many
from domain.engagement import NO_MARKS, ViewerMarks
from services.memory.gathered_reads import GatheredReads

_Asked = tuple[int, tuple[int, ...]]


class GatheredMarks:
    """Likes and bookmarks of whoever asks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reads: GatheredReads[_Asked, Mapping[int, ViewerMarks]] = GatheredReads(self._read, max_keys=100)

    def begin(self, viewer_id: int, root_ids: Sequence[int]) -> Asking:
        """`find`, to be awaited later."""
        asked = (viewer_id, tuple(root_ids))
        return Asking(asked, self._reads.begin([asked]))

    async def find(self, viewer_id: int, root_ids: Sequence[int]) -> Mapping[int, ViewerMarks]:
        """Of each post whether the viewer likes and keeps it, at a moment after this call. Raises UnavailableError."""
        return await self.begin(viewer_id, root_ids).answer()

    async def close(self) -> None:
        await self._reads.close()

    async def _read(self, asked: Sequence[_Asked]) -> Mapping[_Asked, Mapping[int, ViewerMarks]]:
        async with self._database.at_once() as session:
            marked = await load_marks_of_many(session, asked)
        found: dict[_Asked, dict[int, ViewerMarks]] = {}
        for each in asked:
            viewer_id, root_ids = each
            found[each] = dict.fromkeys(root_ids, NO_MARKS)
            if viewer_id in marked:
                found[each].update((one, marks) for one, marks in marked[viewer_id].items() if one in found[each])
        return found


@dataclass(frozen=True, slots=True)
class Asking:
    """A question under way."""

    asked: _Asked
    future: asyncio.Future[Mapping[_Asked, Mapping[int, ViewerMarks]]]

    async def answer(self) -> Mapping[int, ViewerMarks]:
        """As `GatheredMarks.find` says."""
        return (await self.future)[self.asked]
