"""Shares without words and quotes: writing them, whose they are, and how many.

A writer locks along the way from a share to what it shares, never back; so no two of them wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import text

from db.database import ReadSession, WriteSession
from db.rows import POST_COLUMNS, RELATION_COLUMNS, RELATION_JOINS, USER_COLUMNS, USER_WIDTH, to_post, to_relation, to_user
from domain.engagement import SHARE_WEIGHT
from domain.ids import SHARD_MASK, TIME_SHIFT
from domain.records import PostRecord, Relation, UserRecord

_LOCK_ROOT = text(
    """
    SELECT id FROM posts
    WHERE id = coalesce((SELECT s.shared_post_id FROM posts s WHERE s.id = :post_id AND s.is_plain_share), :post_id)
    FOR NO KEY UPDATE
    """
)
_INSERT = text(
    f"""
    INSERT INTO posts AS p (id, author_id, text, entities, visibility, shared_post_id, is_plain_share, created_at)
    SELECT made.id, :author_id, :text, CAST(:entities AS jsonb), 'PUBLIC', :root_id, :is_plain,
           to_timestamp((made.id >> {TIME_SHIFT}) / 1000.0)
    FROM (SELECT next_id(CAST(:shard AS bigint)) AS id OFFSET 0) AS made
    RETURNING {POST_COLUMNS}
    """
)
_COUNT = text(
    f"""
    UPDATE posts SET
      share_count = greatest(0, share_count + :by),
      engagement_score = engagement_score + {SHARE_WEIGHT} * (greatest(0, share_count + :by) - share_count)
    WHERE id = :root_id
    """
)
_EXISTING = "is_plain_share AND deleted_at IS NULL"
_FIND = text(
    f"SELECT {POST_COLUMNS} FROM posts p WHERE p.shared_post_id = :root_id AND p.author_id = :author_id AND {_EXISTING}"
)
_SHARED_BY = text(
    f"SELECT shared_post_id FROM posts WHERE shared_post_id = ANY(CAST(:ids AS bigint[])) AND author_id = :author_id "
    f"AND {_EXISTING}"
)
_SHARERS = text(
    f"""
    SELECT p.id, {USER_COLUMNS}, {RELATION_COLUMNS}
    FROM posts p JOIN users u ON u.id = p.author_id {RELATION_JOINS}
    WHERE p.shared_post_id = :root_id AND {_EXISTING} AND p.id < :below_id
    ORDER BY p.id DESC LIMIT :size
    """
)


async def lock_root(session: WriteSession, post_id: int) -> int | None:
    """The post's root, locked against edit, deletion and other shares until the transaction ends; None without a post."""
    return (await session.execute(_LOCK_ROOT, {"post_id": post_id})).scalar()


async def insert_share(
    session: WriteSession, *, author_id: int, root_id: int, body: str, entities: list[dict[str, Any]], is_plain: bool
) -> PostRecord:
    """A new share of a post that `lock_root` has locked, counted there; `body` is empty where it is plain."""
    rows = await session.execute(
        _INSERT,
        {
            "author_id": author_id,
            "shard": author_id & SHARD_MASK,
            "text": body,
            "entities": orjson.dumps(entities).decode(),
            "root_id": root_id,
            "is_plain": is_plain,
        },
    )
    made = to_post(rows.one())
    await add_to_share_count(session, root_id, 1)
    return made


async def add_to_share_count(session: WriteSession, root_id: int, by: int) -> None:
    """Keeps `share_count`: existing shares and quotes of a post. Locks it."""
    await session.execute(_COUNT, {"root_id": root_id, "by": by})


async def find_plain_share(session: ReadSession, *, author_id: int, root_id: int) -> PostRecord | None:
    """The account's existing share without words of the post."""
    row = (await session.execute(_FIND, {"author_id": author_id, "root_id": root_id})).first()
    return to_post(row) if row is not None else None


async def load_shared_roots(session: ReadSession, root_ids: Iterable[int], *, author_id: int) -> set[int]:
    """Those of the posts of which the account has an existing share without words."""
    return set((await session.execute(_SHARED_BY, {"ids": list(root_ids), "author_id": author_id})).scalars())


async def load_sharers(
    session: ReadSession, root_id: int, *, viewer_id: int | None, below_id: int, size: int
) -> list[tuple[int, UserRecord, Relation]]:
    """(share's id, who shared, how the viewer stands to them), newest first, below an id. Nothing is filtered yet."""
    rows = await session.execute(
        _SHARERS, {"root_id": root_id, "viewer_id": viewer_id or 0, "below_id": below_id, "size": size}
    )
    end = 1 + USER_WIDTH
    return [(row[0], to_user(row[1:end]), to_relation(row[end:])) for row in rows]
