"""Use case: what the viewer has done with posts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from db.engagement import load_marks
from domain.engagement import ViewerMarks
from services.backends import Backends


async def find_marks(backends: Backends, root_ids: Sequence[int], *, viewer_id: int) -> Mapping[int, ViewerMarks]:
    """Of each post whether the viewer likes and keeps it. One statement, shared with others who ask at this moment."""
    if backends.memory is not None:
        return await backends.memory.marks.find(viewer_id, root_ids)
    async with backends.database.reading() as session:
        return await load_marks(session, root_ids, viewer_id=viewer_id)
