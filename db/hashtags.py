"""Hashtags: looking them up, who follows them, and the posts that name them. What a post names is written elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import text

from db.database import ReadSession, WriteSession
from db.feed_changes import note_hashtag_follow
from db.rows import POST_COLUMNS, RELATION_COLUMNS, RELATION_JOINS, USER_COLUMNS, to_post_facts
from domain import subjects
from domain.records import HashtagRecord, PostFacts

_COLUMNS = "h.id, h.name, h.post_count"
_BY_IDS = text(f"SELECT {_COLUMNS} FROM hashtags h WHERE h.id = ANY(CAST(:ids AS bigint[]))")
_BY_NAMES = text(f"SELECT {_COLUMNS} FROM hashtags h WHERE h.name = ANY(CAST(:names AS text[]))")
_INSERT = text(f"INSERT INTO hashtags AS h (name) VALUES (:name) ON CONFLICT DO NOTHING RETURNING {_COLUMNS}")
_FOLLOWED_AMONG = text(
    "SELECT hashtag_id FROM hashtag_follows WHERE user_id = :user_id AND hashtag_id = ANY(CAST(:ids AS bigint[]))"
)
_COUNT_FOLLOWED = text("SELECT count(*) FROM hashtag_follows WHERE user_id = :user_id")
# The version grows in the same transaction: no timeline of the old graph can pass for one of the new.
_FOLLOW = text(
    """
    WITH changed AS (
      INSERT INTO hashtag_follows (user_id, hashtag_id) VALUES (:user_id, :hashtag_id) ON CONFLICT DO NOTHING RETURNING 1
    )
    UPDATE users SET graph_version = graph_version + 1 WHERE id = :user_id AND EXISTS (SELECT FROM changed)
    """
)
_UNFOLLOW = text(
    """
    WITH changed AS (DELETE FROM hashtag_follows WHERE user_id = :user_id AND hashtag_id = :hashtag_id RETURNING 1)
    UPDATE users SET graph_version = graph_version + 1 WHERE id = :user_id AND EXISTS (SELECT FROM changed)
    """
)
_FOLLOWED = text(
    f"""
    SELECT f.created_at, {_COLUMNS} FROM hashtag_follows f JOIN hashtags h ON h.id = f.hashtag_id
    WHERE f.user_id = :user_id AND (f.created_at, f.hashtag_id) < (:below_time, :below_id)
    ORDER BY f.created_at DESC, f.hashtag_id DESC LIMIT :size
    """
)
_POSTS = text(
    f"""
    SELECT {POST_COLUMNS}, {USER_COLUMNS}, {RELATION_COLUMNS}
    FROM post_hashtags n JOIN posts p ON p.id = n.post_id JOIN users u ON u.id = p.author_id {RELATION_JOINS}
    WHERE n.hashtag_id = :hashtag_id AND n.post_id < :below_id AND p.deleted_at IS NULL
    ORDER BY n.post_id DESC LIMIT :size
    """
)


async def load_hashtags(session: ReadSession, hashtag_ids: Iterable[int]) -> dict[int, HashtagRecord]:
    """The hashtags that exist, by id."""
    rows = await session.execute(_BY_IDS, {"ids": list(hashtag_ids)})
    return {row[0]: HashtagRecord(*row) for row in rows}


async def load_hashtags_by_name(session: ReadSession, names: Iterable[str]) -> dict[str, HashtagRecord]:
    """The hashtags that exist, by normalised name."""
    rows = await session.execute(_BY_NAMES, {"names": list(names)})
    return {row[1]: HashtagRecord(*row) for row in rows}


async def find_or_insert_hashtag(session: WriteSession, name: str) -> HashtagRecord:
    """The hashtag of a normalised name; a new one where there is none."""
    while True:
        known = (await load_hashtags_by_name(session, [name])).get(name)
        if known is not None:
            return known
        row = (await session.execute(_INSERT, {"name": name})).first()
        if row is not None:
            return HashtagRecord(*row)
        # Somebody else has just inserted it: the next look finds it.


async def load_followed_among(session: ReadSession, user_id: int, hashtag_ids: Iterable[int]) -> set[int]:
    """Which of the hashtags the account follows."""
    rows = await session.execute(_FOLLOWED_AMONG, {"user_id": user_id, "ids": list(hashtag_ids)})
    return set(rows.scalars())


async def count_followed_hashtags(session: ReadSession, user_id: int) -> int:
    return int((await session.execute(_COUNT_FOLLOWED, {"user_id": user_id})).scalar_one())


async def insert_hashtag_follow(session: WriteSession, user_id: int, hashtag_id: int) -> None:
    """Adds it with the graph version; a second one changes nothing. Call `lock_users` first."""
    session.touch(subjects.hashtag_follow(user_id, hashtag_id))
    await note_hashtag_follow(session, user_id, hashtag_id, followed=True)
    await session.execute(_FOLLOW, {"user_id": user_id, "hashtag_id": hashtag_id})


async def delete_hashtag_follow(session: WriteSession, user_id: int, hashtag_id: int) -> None:
    """Takes it away with the graph version; where there is none, nothing happens. Call `lock_users` first."""
    session.touch(subjects.hashtag_follow(user_id, hashtag_id))
    await note_hashtag_follow(session, user_id, hashtag_id, followed=False)
    await session.execute(_UNFOLLOW, {"user_id": user_id, "hashtag_id": hashtag_id})


async def load_followed_hashtags(
    session: ReadSession, user_id: int, *, below: tuple[datetime, int], size: int
) -> list[tuple[datetime, HashtagRecord]]:
    """What an account follows, with since when, newest first, below a (time, id) keyset."""
    rows = await session.execute(_FOLLOWED, {"user_id": user_id, "below_time": below[0], "below_id": below[1], "size": size})
    return [(row[0], HashtagRecord(*row[1:])) for row in rows]


async def load_posts_by_hashtag(
    session: ReadSession, hashtag_id: int, *, viewer_id: int | None, below_id: int, size: int
) -> list[PostFacts]:
    """Posts that name a hashtag, newest first, below an id. Nothing is filtered yet."""
    rows = await session.execute(
        _POSTS, {"hashtag_id": hashtag_id, "viewer_id": viewer_id or 0, "below_id": below_id, "size": size}
    )
    return [to_post_facts(row) for row in rows]
