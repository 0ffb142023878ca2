"""What viewers have done with posts, for many requests in one statement. Nothing of it is remembered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from db.database import Database
from db.engagement import load_marks_of_many
from domain.engagement import NO_MARKS, ViewerMarks
from services.memory.gathered_reads import GatheredReads

AskedMarks = tuple[int, tuple[int, ...]]
"""(viewer, posts)"""


class GatheredMarks:
    """Likes and bookmarks of whoever asks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reads: GatheredReads[AskedMarks, Mapping[int, ViewerMarks]] = GatheredReads(self._read, max_keys=100)

    async def find(self, viewer_id: int, root_ids: Sequence[int]) -> Mapping[int, ViewerMarks]:
        """Of each post whether the viewer likes and keeps it, at a moment after this call. Raises UnavailableError."""
        asked = (viewer_id, tuple(root_ids))
        return (await self._reads.ask([asked]))[asked]

    async def close(self) -> None:
        await self._reads.close()

    async def _read(self, asked: Sequence[AskedMarks]) -> Mapping[AskedMarks, Mapping[int, ViewerMarks]]:
        async with self._database.at_once() as session:
            marked = await load_marks_of_many(session, asked)
        return {each: marks_of(each, marked) for each in asked}


def marks_of(asked: AskedMarks, marked: Mapping[int, Mapping[int, ViewerMarks]]) -> dict[int, ViewerMarks]:
    """Of each post that was asked for. `marked`: by viewer and post, where a viewer has done anything."""
    viewer_id, root_ids = asked
    found = dict.fromkeys(root_ids, NO_MARKS)
    done = marked.get(viewer_id)
    if done:
        found.update((root_id, marks) for root_id, marks in done.items() if root_id in found)
    return found
