"""What posts and profiles show of people's media, and what nobody shows any more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import text

from db.database import ReadSession, WriteSession
from db.media import MEDIA_COLUMNS, MEDIA_WIDTH, to_media
from domain import subjects
from domain.media import MediaRecord

_LOCK_OWN = text(
    f"""
    SELECT {MEDIA_COLUMNS}, m.finished_at IS NOT NULL FROM media m
    WHERE m.id = ANY(CAST(:ids AS bigint[])) AND m.owner_id = :owner_id ORDER BY m.id FOR NO KEY UPDATE
    """
)
_ATTACHED = text("SELECT media_id FROM post_media WHERE media_id = ANY(CAST(:ids AS bigint[]))")
_ATTACH = text(
    """
    INSERT INTO post_media (post_id, place, media_id)
    SELECT :post_id, place - 1, media_id FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS given(media_id, place)
    """
)
_KEEP = text("UPDATE media SET collect_at = NULL WHERE id = ANY(CAST(:ids AS bigint[]))")
_OF_POSTS = text(
    f"""
    SELECT a.post_id, {MEDIA_COLUMNS} FROM post_media a JOIN media m ON m.id = a.media_id
    WHERE a.post_id = ANY(CAST(:ids AS bigint[])) ORDER BY a.post_id, a.place
    """
)
_WITH_POSTS = text(
    f"""
    SELECT {MEDIA_COLUMNS}, a.post_id FROM media m LEFT JOIN post_media a ON a.media_id = m.id
    WHERE m.id = ANY(CAST(:ids AS bigint[]))
    """
)
_DISCARD = text(
    """
    UPDATE media SET collect_at = clock_timestamp() WHERE id IN (SELECT media_id FROM post_media WHERE post_id = :post_id)
    """
)
# The former picture stays for a while: pages that are open show it. Who has it locked is about to show it in a post; waiting
# for them, with the account locked, could be for ever.
_SET_AVATAR = text(
    """
    WITH former AS (
      SELECT id, avatar_media_id AS media_id FROM users WHERE id = :user_id FOR NO KEY UPDATE
    ), dropped AS (
      UPDATE media m SET collect_at = clock_timestamp() + make_interval(secs => :keep_seconds)
      WHERE m.id IN (SELECT f.id FROM media f WHERE f.id = (SELECT media_id FROM former) FOR NO KEY UPDATE SKIP LOCKED)
        AND m.id <> :media_id AND NOT EXISTS (SELECT FROM post_media a WHERE a.media_id = m.id)
    )
    UPDATE users u SET avatar_media_id = :media_id, avatar_key = :key FROM former WHERE u.id = former.id
    """
)


async def lock_own_media(
    session: WriteSession, media_ids: Sequence[int], *, owner_id: int
) -> dict[int, tuple[MediaRecord, bool]]:
    """The account's own among them, locked in the order of their ids, each with whether its upload was finished."""
    rows = await session.execute(_LOCK_OWN, {"ids": list(media_ids), "owner_id": owner_id})
    return {row[0]: (to_media(row[:MEDIA_WIDTH]), row[MEDIA_WIDTH]) for row in rows}


async def load_attached(session: ReadSession, media_ids: Sequence[int]) -> set[int]:
    """Those that some post shows, or has shown. Ask when they are locked."""
    return set((await session.execute(_ATTACHED, {"ids": list(media_ids)})).scalars())


async def attach_media(session: WriteSession, post_id: int, media_ids: Sequence[int]) -> None:
    """The post shows them, in this order. They are locked, and nobody else's."""
    await session.execute(_ATTACH, {"post_id": post_id, "ids": list(media_ids)})
    await session.execute(_KEEP, {"ids": list(media_ids)})


async def load_media_of_posts(session: ReadSession, post_ids: Iterable[int]) -> dict[int, list[MediaRecord]]:
    """What the posts show, in their order; posts without media are left out. One statement."""
    found: dict[int, list[MediaRecord]] = {}
    for post_id, *row in await session.execute(_OF_POSTS, {"ids": list(post_ids)}):
        found.setdefault(post_id, []).append(to_media(row))
    return found


async def load_media_with_posts(session: ReadSession, media_ids: Iterable[int]) -> dict[int, tuple[MediaRecord, int | None]]:
    """Media by id, each with the post that shows it. Who may see them is not decided here."""
    rows = await session.execute(_WITH_POSTS, {"ids": list(media_ids)})
    return {row[0]: (to_media(row[:MEDIA_WIDTH]), row[MEDIA_WIDTH]) for row in rows}


async def discard_media_of_post(session: WriteSession, post_id: int) -> None:
    """The post, locked by this transaction, is no more: what it showed may go."""
    await session.execute(_DISCARD, {"post_id": post_id})


async def set_avatar(session: WriteSession, user_id: int, *, media_id: int, key: str, keep_seconds: float) -> None:
    """The account's picture is this one, which is locked. The former one may go after some seconds."""
    session.touch(subjects.account(user_id))
    parameters = {"user_id": user_id, "media_id": media_id, "key": key, "keep_seconds": keep_seconds}
    await session.execute(_SET_AVATAR, parameters)
    await session.execute(_KEEP, {"ids": [media_id]})
