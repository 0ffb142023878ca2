"""Media that nobody needs any more: unfinished, rejected, never shown, or shown by what is deleted."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from db.database import ReadSession, WriteSession

_WAITING = text(
    """
    SELECT extract(epoch FROM clock_timestamp() - min(collect_at)) FROM media WHERE collect_at <= clock_timestamp()
    """
)
_LOCK = text(
    """
    SELECT id FROM media WHERE collect_at <= clock_timestamp() ORDER BY collect_at LIMIT :most FOR UPDATE SKIP LOCKED
    """
)
# In a statement of its own: it sees what was committed by those who held the locks before.
_NEEDED = text(
    """
    UPDATE media m SET collect_at = NULL
    WHERE m.id = ANY(CAST(:ids AS bigint[])) AND (
      EXISTS (SELECT FROM users u WHERE u.id = m.owner_id AND u.avatar_media_id = m.id)
      OR m.state <> 'REJECTED' AND EXISTS (
        SELECT FROM post_media a JOIN posts p ON p.id = a.post_id WHERE a.media_id = m.id AND p.deleted_at IS NULL))
    RETURNING m.id
    """
)
_DETACH = text("DELETE FROM post_media WHERE media_id = ANY(CAST(:ids AS bigint[]))")
_DELETE = text("DELETE FROM media WHERE id = ANY(CAST(:ids AS bigint[])) RETURNING upload_key, public_key, thumbnail_key")


@dataclass(frozen=True, slots=True)
class Collected:
    """`looked_at`: how many rows; 0: nothing is left. `keys`: what to delete from the store before the commit."""

    looked_at: int
    keys: list[str]


async def collectable_seconds(session: ReadSession) -> float | None:
    """How long ago the first one could have gone; None where there is none."""
    waited = (await session.execute(_WAITING)).scalar()
    return float(waited) if waited is not None else None


async def collect_media(session: WriteSession, *, most: int) -> Collected:
    """Deletes the rows of up to `most` media that are not needed. What is needed after all is not asked about again."""
    ids = list((await session.execute(_LOCK, {"most": most})).scalars())
    if not ids:
        return Collected(0, [])
    needed = set((await session.execute(_NEEDED, {"ids": ids})).scalars())
    gone = [one for one in ids if one not in needed]
    await session.execute(_DETACH, {"ids": gone})
    rows = await session.execute(_DELETE, {"ids": gone})
    return Collected(len(ids), [key for row in rows for key in row if key is not None])
