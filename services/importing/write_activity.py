"""Interaction scores: what people did with each other, summed up; new follows are written with them.

The score of a follow that exists is *raised to* the files' total, never added to: importing the same activity again
changes nothing, and what people did here since is not lost.
"""

from __future__ import annotations

from db.bulk import BulkConnection

_CREATE_SCORES = """
CREATE TEMP TABLE scores ON COMMIT PRESERVE ROWS AS
SELECT a.id AS follower_id, t.id AS followee_id, s.score FROM (
  SELECT actor, target, sum(weight) AS score FROM staged_activity GROUP BY actor, target
) AS s
JOIN people a ON a.external_id = s.actor JOIN people t ON t.external_id = s.target
"""

_RAISE = """
UPDATE follows f SET interaction_score = s.score FROM scores s
WHERE f.follower_id = s.follower_id AND f.followee_id = s.followee_id AND f.interaction_score < s.score
"""


async def prepare_scores(connection: BulkConnection) -> None:
    """Makes the temporary table `scores` from the staged activity: the total of each pair of accounts."""
    await connection.execute(_CREATE_SCORES)
    await connection.execute("ANALYZE scores")


async def raise_scores(connection: BulkConnection) -> int:
    """Raises scores to the totals of the temporary table `scores`; returns the number of follows that changed."""
    return await connection.execute(_RAISE)
