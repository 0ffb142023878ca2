"""What the viewer of a feed does to the posts of those they follow, for the ranking."""

from __future__ import annotations

from collections.abc import Sequence

from db.activities import ActivityRow
from db.database import WriteSession
from db.interactions import raise_interaction_scores
from domain.interaction import WEIGHTS
from services.notifications.activity_facts import ActivityFacts


async def score_interactions(
    session: WriteSession, rows: Sequence[ActivityRow], facts: ActivityFacts, standing: set[int]
) -> set[int]:
    """Adds each deed that stands to its follow's score, once however many rows speak of it.

    Returns the activities that must come again, since their follow is being changed right now: nothing was added for them.
    """
    pairs: dict[int, tuple[int, int]] = {}
    weights: dict[tuple[int, int], float] = {}
    counted: set[tuple[str, int, int]] = set()
    for row in rows:
        root = facts.root_of(row) if row.id in standing and row.kind in WEIGHTS else None
        if root is None or root.author.id == row.actor_id:
            continue
        pairs[row.id] = pair = (row.actor_id, root.author.id)
        deed = (row.kind.value, row.actor_id, row.subject_id)
        if deed not in counted:
            counted.add(deed)
            weights[pair] = weights.get(pair, 0.0) + WEIGHTS[row.kind]
    if not weights:
        return set()
    busy = await raise_interaction_scores(session, weights)
    return {row_id for row_id, pair in pairs.items() if pair in busy}
