"""Follows that ended while what was already there stays in the feed."""

from __future__ import annotations

from sqlalchemy import text

from db.database import WriteSession
from db.feed_changes import note_kept_history
from domain import subjects
from domain.ids import TIME_SHIFT

# The greatest id of this millisecond, by the clock that makes ids: whatever exists has a smaller one, or this very one.
_KEEP = text(
    f"""
    INSERT INTO kept_follows (viewer_id, author_id, until_id)
    VALUES (:viewer_id, :author_id,
      (floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint << {TIME_SHIFT}) | {(1 << TIME_SHIFT) - 1})
    ON CONFLICT (viewer_id, author_id) DO UPDATE SET until_id = excluded.until_id, created_at = excluded.created_at
    """
)
_FORGET = text(
    """
    WITH forgotten AS (DELETE FROM kept_follows WHERE viewer_id = :viewer_id AND author_id = :author_id RETURNING 1)
    UPDATE users SET
      graph_version = graph_version + CASE WHEN id = :viewer_id THEN 1 ELSE 0 END,
      audience_version = audience_version + CASE WHEN id = :author_id THEN 1 ELSE 0 END
    WHERE id IN (:viewer_id, :author_id) AND EXISTS (SELECT FROM forgotten)
    RETURNING 1
    """
)


async def keep_history(session: WriteSession, viewer_id: int, author_id: int) -> None:
    """What exists by now stays. In the transaction that ends the follow, which moves the versions of both and notes it."""
    session.touch(subjects.relation(viewer_id, author_id))
    await session.execute(_KEEP, {"viewer_id": viewer_id, "author_id": author_id})


async def forget_history(session: WriteSession, viewer_id: int, author_id: int) -> bool:
    """Nothing stays any more; moves the versions of both. False where nothing was kept. Call `lock_users` first."""
    session.touch(subjects.relation(viewer_id, author_id))
    await note_kept_history(session, viewer_id, author_id)
    pair = {"viewer_id": viewer_id, "author_id": author_id}
    return (await session.execute(_FORGET, pair)).first() is not None
