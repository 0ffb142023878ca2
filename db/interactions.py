"""How much followers deal with those they follow (`domain.interaction`)."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import text

from db.database import WriteSession
from domain.interaction import HALF_LIFE

# Rows that somebody else holds are passed over: who changes follows locks them in an order of their own, and must not wait for
# a score. The exponent is bounded because power() fails where the result would be too small.
_RAISE = text(
    f"""
    WITH wanted AS (
      SELECT * FROM unnest(CAST(:followers AS bigint[]), CAST(:followees AS bigint[]), CAST(:weights AS float8[]))
        AS w(follower_id, followee_id, weight)
    ),
    held AS (
      SELECT f.follower_id, f.followee_id FROM follows f JOIN wanted w USING (follower_id, followee_id)
      FOR NO KEY UPDATE OF f SKIP LOCKED
    ),
    raised AS (
      UPDATE follows f SET interaction_at = clock_timestamp(), interaction_score = w.weight + f.interaction_score * CASE
        WHEN f.interaction_at IS NULL THEN 1
        ELSE power(0.5, least(200, greatest(0,
          extract(epoch FROM clock_timestamp() - f.interaction_at)::float8 / {HALF_LIFE.total_seconds()}))) END
      FROM held h JOIN wanted w USING (follower_id, followee_id)
      WHERE f.follower_id = h.follower_id AND f.followee_id = h.followee_id
      RETURNING f.follower_id, f.followee_id
    )
    SELECT f.follower_id, f.followee_id FROM follows f JOIN wanted w USING (follower_id, followee_id)
    WHERE NOT EXISTS (SELECT FROM raised r WHERE r.follower_id = f.follower_id AND r.followee_id = f.followee_id)
    """
)


async def raise_interaction_scores(session: WriteSession, weights: Mapping[tuple[int, int], float]) -> set[tuple[int, int]]:
    """Adds to the scores of those (follower, followee) that are follows; returns those that could not be locked now."""
    parameters = {
        "followers": [pair[0] for pair in weights],
        "followees": [pair[1] for pair in weights],
        "weights": list(weights.values()),
    }
    return {(row[0], row[1]) for row in await session.execute(_RAISE, parameters)}
