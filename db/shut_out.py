"""Whom somebody does not want to meet: blocks and mutes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text

from db.database import ReadSession, WriteSession
from db.feed_changes import note_block, note_mute
from db.people_lists import PersonRow, load_listed_people, people_statement
from db.users import renew_rows
from domain import subjects

_BLOCK = text("INSERT INTO blocks (blocker_id, blocked_id) VALUES (:blocker_id, :blocked_id) ON CONFLICT DO NOTHING")
_UNBLOCK = text("DELETE FROM blocks WHERE blocker_id = :blocker_id AND blocked_id = :blocked_id RETURNING 1")
# A mute that goes on keeps its place in the list; one that had ended begins anew.
_MUTE = text(
    """
    INSERT INTO mutes AS m (muter_id, muted_id, until) VALUES (:muter_id, :muted_id, :until)
    ON CONFLICT (muter_id, muted_id) DO UPDATE SET until = excluded.until,
      created_at = CASE WHEN m.until <= clock_timestamp() THEN clock_timestamp() ELSE m.created_at END
    """
)
_UNMUTE = text("DELETE FROM mutes WHERE muter_id = :muter_id AND muted_id = :muted_id RETURNING 1")
_IS_FUTURE = text("SELECT CAST(:instant AS timestamptz) > clock_timestamp()")
_BLOCKED = people_statement("blocks", "blocker_id", "blocked_id")
_MUTED = people_statement("mutes", "muter_id", "muted_id", condition="(e.until IS NULL OR e.until > statement_timestamp())")


async def insert_block(session: WriteSession, blocker_id: int, blocked_id: int) -> None:
    """A second one changes nothing. Call `lock_users` first."""
    session.touch(*subjects.relations(blocker_id, blocked_id))
    await note_block(session, blocker_id, blocked_id, exists=False)
    await renew_rows(session, blocker_id, blocked_id)
    await session.execute(_BLOCK, {"blocker_id": blocker_id, "blocked_id": blocked_id})


async def delete_block(session: WriteSession, blocker_id: int, blocked_id: int) -> bool:
    """False where there was none. Call `lock_users` first."""
    session.touch(*subjects.relations(blocker_id, blocked_id))
    await note_block(session, blocker_id, blocked_id, exists=True)
    await renew_rows(session, blocker_id, blocked_id)
    return (await session.execute(_UNBLOCK, {"blocker_id": blocker_id, "blocked_id": blocked_id})).first() is not None


async def set_mute(session: WriteSession, muter_id: int, muted_id: int, *, until: datetime | None) -> None:
    """Mutes until that instant, or for good; takes the place of an earlier mute. Call `lock_users` first."""
    session.touch(subjects.relation(muter_id, muted_id))
    await note_mute(session, muter_id, muted_id, exists=False)
    await renew_rows(session, muter_id)
    await session.execute(_MUTE, {"muter_id": muter_id, "muted_id": muted_id, "until": until})


async def delete_mute(session: WriteSession, muter_id: int, muted_id: int) -> bool:
    """False where there was none; one that has ended counts. Call `lock_users` first."""
    session.touch(subjects.relation(muter_id, muted_id))
    await note_mute(session, muter_id, muted_id, exists=True)
    await renew_rows(session, muter_id)
    return (await session.execute(_UNMUTE, {"muter_id": muter_id, "muted_id": muted_id})).first() is not None


async def is_future(session: ReadSession, instant: datetime) -> bool:
    """Whether the instant is still to come, by the clock by which mutes end."""
    return bool((await session.execute(_IS_FUTURE, {"instant": instant})).scalar_one())


async def load_blocked(
    session: ReadSession, user_id: int, *, viewer_id: int, below: tuple[datetime, int], size: int
) -> list[PersonRow]:
    """Whom an account blocks, newest first, below a (time, id) keyset."""
    return await load_listed_people(session, _BLOCKED, user_id, viewer_id, below, size)


async def load_muted(
    session: ReadSession, user_id: int, *, viewer_id: int, below: tuple[datetime, int], size: int
) -> list[PersonRow]:
    """Whom an account mutes at this moment, newest first, below a (time, id) keyset."""
    return await load_listed_people(session, _MUTED, user_id, viewer_id, below, size)
