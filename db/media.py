"""Uploads: from the address that was given out to the picture that can be shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import text

from db.database import ReadSession, WriteSession
from domain.ids import SHARD_MASK
from domain.media import MediaKind, MediaRecord, MediaState, StoredMedia

MEDIA_COLUMNS = "m.id, m.owner_id, m.kind, m.state, m.width, m.height, m.alt_text, m.public_key, m.thumbnail_key"
MEDIA_WIDTH = 9
_STORED = f"{MEDIA_COLUMNS}, m.content_type, m.byte_size, m.upload_key, m.finished_at IS NOT NULL, m.attempts"

_INSERT = text(
    f"""
    INSERT INTO media AS m (id, owner_id, kind, content_type, byte_size, alt_text, upload_key, collect_at)
    SELECT made.id, :owner_id, :kind, :content_type, :byte_size, :alt_text,
           'uploads/' || made.id || '-' || CAST(:token AS text), clock_timestamp() + make_interval(secs => :keep_seconds)
    FROM (SELECT next_id(CAST(:shard AS bigint)) AS id OFFSET 0) AS made
    RETURNING {_STORED}
    """
)
_COUNT_UNFINISHED = text(
    """
    SELECT count(*) FROM (
      SELECT FROM media WHERE owner_id = :owner_id AND id > :since_id AND finished_at IS NULL AND state = 'PENDING' LIMIT :most
    ) AS found
    """
)
_FIND = text(f"SELECT {_STORED} FROM media m WHERE m.id = :media_id")
_FINISH = text(
    f"""
    UPDATE media AS m SET finished_at = clock_timestamp(), next_attempt_at = clock_timestamp(),
      width = :width, height = :height, public_key = :public_key, thumbnail_key = :thumbnail_key,
      collect_at = clock_timestamp() + make_interval(secs => :keep_seconds)
    WHERE m.id = :media_id AND m.finished_at IS NULL AND m.state = 'PENDING' RETURNING {_STORED}
    """
)
_REFUSE = text(
    """
    UPDATE media SET state = 'REJECTED', collect_at = clock_timestamp() + make_interval(secs => :keep_seconds)
    WHERE id = :media_id AND finished_at IS NULL AND state = 'PENDING' RETURNING 1
    """
)
_WAITING = text(
    """
    SELECT extract(epoch FROM clock_timestamp() - min(next_attempt_at)) FROM media
    WHERE state = 'PENDING' AND finished_at IS NOT NULL AND next_attempt_at <= clock_timestamp()
    """
)
_LEASE = text(
    f"""
    UPDATE media AS m SET attempts = m.attempts + 1, next_attempt_at = clock_timestamp() + make_interval(secs => :lease_seconds)
    WHERE m.id = (
      SELECT id FROM media WHERE state = 'PENDING' AND finished_at IS NOT NULL AND next_attempt_at <= clock_timestamp()
      ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING {_STORED}
    """
)
_POSTPONE = text(
    """
    UPDATE media SET next_attempt_at = clock_timestamp() + make_interval(secs => :seconds)
    WHERE id = :media_id AND attempts = :attempt AND state = 'PENDING'
    """
)
_READY = text(
    """
    UPDATE media SET state = 'READY', width = :width, height = :height, byte_size = :byte_size
    WHERE id = :media_id AND attempts = :attempt AND state = 'PENDING' RETURNING 1
    """
)
_REJECT = text(
    """
    UPDATE media SET state = 'REJECTED', collect_at = clock_timestamp() + make_interval(secs => :keep_seconds)
    WHERE id = :media_id AND attempts = :attempt AND state = 'PENDING' RETURNING 1
    """
)
_UNPROCESSED = text("SELECT upload_key FROM media WHERE id = ANY(CAST(:ids AS bigint[])) AND state = 'PENDING'")


def to_media(row: Sequence[Any]) -> MediaRecord:
    """A row of MEDIA_COLUMNS."""
    media_id, owner_id, kind, state, *rest = row
    return MediaRecord(media_id, owner_id, MediaKind(kind), MediaState(state), *rest)


def _to_stored(row: Sequence[Any]) -> StoredMedia:
    return StoredMedia(to_media(row[:MEDIA_WIDTH]), *row[MEDIA_WIDTH:])


async def insert_media(
    session: WriteSession,
    *,
    owner_id: int,
    kind: MediaKind,
    content_type: str,
    byte_size: int,
    alt_text: str | None,
    token: str,
    keep_seconds: float,
) -> StoredMedia:
    """An upload that is awaited. `token`: what makes its key unguessable; `keep_seconds`: so long it is waited for."""
    rows = await session.execute(
        _INSERT,
        {
            "owner_id": owner_id,
            "shard": owner_id & SHARD_MASK,
            "kind": kind.value,
            "content_type": content_type,
            "byte_size": byte_size,
            "alt_text": alt_text,
            "token": token,
            "keep_seconds": keep_seconds,
        },
    )
    return _to_stored(rows.one())


async def count_unfinished(session: ReadSession, owner_id: int, *, since_id: int, most: int) -> int:
    """How many uploads of the account are awaited, of those made after an id; counts to `most`."""
    parameters = {"owner_id": owner_id, "since_id": since_id, "most": most}
    return int((await session.execute(_COUNT_UNFINISHED, parameters)).scalar_one())


async def find_media(session: ReadSession, media_id: int) -> StoredMedia | None:
    """Whose it is, and who may see it, is not decided here."""
    row = (await session.execute(_FIND, {"media_id": media_id})).first()
    return _to_stored(row) if row is not None else None


async def finish_media(
    session: WriteSession,
    media_id: int,
    *,
    width: int,
    height: int,
    public_key: str,
    thumbnail_key: str,
    keep_seconds: float,
) -> StoredMedia | None:
    """The content is there and promises to be a picture; None where somebody was faster. Kept so long for a post to take it."""
    parameters = {
        "media_id": media_id,
        "width": width,
        "height": height,
        "public_key": public_key,
        "thumbnail_key": thumbnail_key,
        "keep_seconds": keep_seconds,
    }
    row = (await session.execute(_FINISH, parameters)).first()
    return _to_stored(row) if row is not None else None


async def refuse_unfinished(session: WriteSession, media_id: int, *, keep_seconds: float) -> bool:
    """What was sent is no picture; False where somebody was faster."""
    return (await session.execute(_REFUSE, {"media_id": media_id, "keep_seconds": keep_seconds})).first() is not None


async def unprocessed_seconds(session: ReadSession) -> float | None:
    """How long the oldest finished upload that is due has waited for a worker; None where there is none."""
    waited = (await session.execute(_WAITING)).scalar()
    return float(waited) if waited is not None else None


async def lease_unprocessed(session: WriteSession, *, lease_seconds: float) -> StoredMedia | None:
    """The oldest due one, for this caller alone until the lease ends; `attempts` is the lease's number."""
    row = (await session.execute(_LEASE, {"lease_seconds": lease_seconds})).first()
    return _to_stored(row) if row is not None else None


async def postpone_media(session: WriteSession, media_id: int, *, attempt: int, seconds: float) -> None:
    """Due again after some seconds, if the lease is still one's own."""
    await session.execute(_POSTPONE, {"media_id": media_id, "attempt": attempt, "seconds": seconds})


async def mark_ready(session: WriteSession, media_id: int, *, attempt: int, width: int, height: int, byte_size: int) -> bool:
    """What is served stands under its keys; False where the lease is no longer one's own."""
    parameters = {"media_id": media_id, "attempt": attempt, "width": width, "height": height, "byte_size": byte_size}
    return (await session.execute(_READY, parameters)).first() is not None


async def mark_rejected(session: WriteSession, media_id: int, *, attempt: int, keep_seconds: float) -> bool:
    """It is no picture after all; False where the lease is no longer one's own."""
    parameters = {"media_id": media_id, "attempt": attempt, "keep_seconds": keep_seconds}
    return (await session.execute(_REJECT, parameters)).first() is not None


async def load_awaited_keys(session: ReadSession, media_ids: Iterable[int]) -> set[str]:
    """Where those of the uploads lie that are still to be finished or processed."""
    return set((await session.execute(_UNPROCESSED, {"ids": list(media_ids)})).scalars())
