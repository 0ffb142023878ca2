"""How far people have read their home feeds."""

from __future__ import annotations

from sqlalchemy import text

from db.database import WriteSession
from domain import subjects
from domain.ids import TIME_SHIFT

# Never beyond now: an imported post of the future, once seen, must not hide what is written until then.
_MOVE = text(
    f"""
    INSERT INTO feed_positions AS f (user_id, position_id)
    VALUES (:user_id, least(
      CAST(:position_id AS bigint),
      ((floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint + 1) << {TIME_SHIFT}) - 1
    ))
    ON CONFLICT (user_id) DO UPDATE SET position_id = EXCLUDED.position_id, moved_at = clock_timestamp()
    WHERE f.position_id < EXCLUDED.position_id
    """
)


async def move_position(session: WriteSession, user_id: int, position_id: int) -> None:
    """Moves the position forward to an id, and never back, whatever comes at the same time."""
    session.touch(subjects.position(user_id))
    await session.execute(_MOVE, {"user_id": user_id, "position_id": position_id})
