"""Interaction scores of follows that were there before the activity was imported.

A score is *raised to* the files' total, never added to: importing the same activity again changes nothing, and what people
did here since is not lost.
"""

from __future__ import annotations

from db.bulk import BulkConnection

_RAISE = """
UPDATE follows f SET interaction_score = s.score FROM scores s
WHERE f.follower_id = s.follower_id AND f.followee_id = s.followee_id AND f.interaction_score < s.score
"""


async def raise_scores(connection: BulkConnection) -> int:
    """Raises scores to the totals of the temporary table `scores`; returns the number of follows that changed."""
    return await connection.execute(_RAISE)
