"""Use case: which posts the viewer has passed on without words."""

from __future__ import annotations

from collections.abc import Sequence

from db.shares import load_shared_roots
from services.backends import Backends


async def find_shared_roots(backends: Backends, root_ids: Sequence[int], *, viewer_id: int) -> dict[int, bool]:
    """Of each post whether there is an existing share of it by the viewer. One statement."""
    async with backends.database.at_once() as session:
        shared = await load_shared_roots(session, root_ids, author_id=viewer_id)
    return {root_id: root_id in shared for root_id in root_ids}
