"""What viewers have done with posts, for many requests in one statement. Nothing of it is remembered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from db.database import Database
from db.engagement import load_marks_of_many
from domain.engagement import NO_MARKS, ViewerMarks
from services.memory.gathered_reads import GatheredReads

_Asked = tuple[int, tuple[int, ...]]


class GatheredMarks:
    """Likes and bookmarks of whoever asks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reads: GatheredReads[_Asked, dict[int, ViewerMarks]] = GatheredReads(self._read, max_keys=100)

    async def find(self, viewer_id: int, root_ids: Sequence[int]) -> dict[int, ViewerMarks]:
        """Of each post whether the viewer likes and keeps it, at a moment after this call. Raises UnavailableError."""
        asked = (viewer_id, tuple(root_ids))
        return (await self._reads.ask([asked]))[asked]

    async def close(self) -> None:
        await self._reads.close()

    async def _read(self, asked: Sequence[_Asked]) -> Mapping[_Asked, dict[int, ViewerMarks]]:
        pairs = [(viewer_id, root_id) for viewer_id, root_ids in asked for root_id in root_ids]
        async with self._database.at_once() as session:
            marked = await load_marks_of_many(session, pairs)
        found = {(viewer_id, root_ids): dict.fromkeys(root_ids, NO_MARKS) for viewer_id, root_ids in asked}
        if marked:
            for (viewer_id, root_ids), marks in found.items():
                for root_id in root_ids:
                    if (viewer_id, root_id) in marked:
                        marks[root_id] = marked[viewer_id, root_id]
        return found
