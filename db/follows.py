"""Who follows whom: single edges, lists of people, and chunks for fan-out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text

from db.database import ReadSession, WriteSession
from db.rows import RELATION_COLUMNS, RELATION_JOINS, USER_COLUMNS, USER_WIDTH, to_relation, to_user
from domain.records import Relation, UserRecord

_INSERT = text(
    "INSERT INTO follows (follower_id, followee_id) VALUES (:follower_id, :followee_id) ON CONFLICT DO NOTHING RETURNING 1"
)
_DELETE = text("DELETE FROM follows WHERE follower_id = :follower_id AND followee_id = :followee_id RETURNING 1")
_INSERT_REQUEST = text(
    "INSERT INTO follow_requests (follower_id, followee_id) VALUES (:follower_id, :followee_id) ON CONFLICT DO NOTHING"
)
_DELETE_REQUEST = text(
    "DELETE FROM follow_requests WHERE follower_id = :follower_id AND followee_id = :followee_id RETURNING 1"
)
_REQUESTERS = text("SELECT follower_id FROM follow_requests WHERE followee_id = :followee_id ORDER BY follower_id")
_COUNT_FOLLOWING = text("SELECT following_count FROM users WHERE id = :user_id")
_EXISTS = text("SELECT 1 FROM follows WHERE follower_id = :follower_id AND followee_id = :followee_id")
# The version grows in the same transaction as the edge: no timeline of the old graph can pass for one of the new.
_COUNT_FOLLOWER = text(
    "UPDATE users SET following_count = following_count + :by, graph_version = graph_version + 1 WHERE id = :user_id"
)
_COUNT_FOLLOWEE = text(
    "UPDATE users SET follower_count = follower_count + :by, audience_version = audience_version + 1 WHERE id = :user_id"
)
_FOLLOWER_CHUNK = text(
    """
    (SELECT follower_id AS id FROM follows
     WHERE followee_id = :author_id AND follower_id > :after_id ORDER BY follower_id LIMIT :size)
    UNION ALL
    (SELECT viewer_id FROM kept_follows
     WHERE author_id = :author_id AND viewer_id > :after_id AND until_id >= :post_id ORDER BY viewer_id LIMIT :size)
    ORDER BY id LIMIT :size
    """
)


def _people_statement(table: str, owner: str, other: str) -> str:
    return f"""
        SELECT e.created_at, {USER_COLUMNS}, {RELATION_COLUMNS}
        FROM {table} e JOIN users u ON u.id = e.{other} {RELATION_JOINS}
        WHERE e.{owner} = :user_id AND (e.created_at, e.{other}) < (:below_time, :below_id)
        ORDER BY e.created_at DESC, e.{other} DESC LIMIT :size
        """


_FOLLOWERS = text(_people_statement("follows", "followee_id", "follower_id"))
_FOLLOWING = text(_people_statement("follows", "follower_id", "followee_id"))
_REQUESTS = text(_people_statement("follow_requests", "followee_id", "follower_id"))

PersonRow = tuple[datetime, UserRecord, Relation]
"""(since when, the account, how the viewer stands to it)"""


async def insert_follow(session: WriteSession, follower_id: int, followee_id: int) -> bool:
    """Adds the edge, the counts and the graph version. False where it was there already. Call `lock_users` first."""
    edge = {"follower_id": follower_id, "followee_id": followee_id}
    if (await session.execute(_INSERT, edge)).first() is None:
        return False
    await session.execute(_COUNT_FOLLOWER, {"user_id": follower_id, "by": 1})
    await session.execute(_COUNT_FOLLOWEE, {"user_id": followee_id, "by": 1})
    return True


async def delete_follow(session: WriteSession, follower_id: int, followee_id: int) -> bool:
    """Takes the edge away, with the counts and the graph version. False where there was none. Call `lock_users` first."""
    edge = {"follower_id": follower_id, "followee_id": followee_id}
    if (await session.execute(_DELETE, edge)).first() is None:
        return False
    await session.execute(_COUNT_FOLLOWER, {"user_id": follower_id, "by": -1})
    await session.execute(_COUNT_FOLLOWEE, {"user_id": followee_id, "by": -1})
    return True


async def is_following(session: ReadSession, follower_id: int, followee_id: int) -> bool:
    edge = {"follower_id": follower_id, "followee_id": followee_id}
    return (await session.execute(_EXISTS, edge)).first() is not None


async def count_following(session: ReadSession, user_id: int) -> int:
    return int((await session.execute(_COUNT_FOLLOWING, {"user_id": user_id})).scalar_one())


async def insert_follow_request(session: WriteSession, follower_id: int, followee_id: int) -> None:
    """Notes the wish; a second one changes nothing."""
    await session.execute(_INSERT_REQUEST, {"follower_id": follower_id, "followee_id": followee_id})


async def delete_follow_request(session: WriteSession, follower_id: int, followee_id: int) -> bool:
    """Takes the wish back. False where there was none."""
    edge = {"follower_id": follower_id, "followee_id": followee_id}
    return (await session.execute(_DELETE_REQUEST, edge)).first() is not None


async def load_requesters(session: ReadSession, followee_id: int) -> list[int]:
    """Who waits for the account's answer."""
    return list((await session.execute(_REQUESTERS, {"followee_id": followee_id})).scalars())


async def load_follower_chunk(session: ReadSession, author_id: int, *, post_id: int, after_id: int, size: int) -> list[int]:
    """The next `size` of those who receive the post, by id: the keyset that fan-out walks. Followers, and who keeps the history
    up to the post."""
    parameters = {"author_id": author_id, "post_id": post_id, "after_id": after_id, "size": size}
    return list((await session.execute(_FOLLOWER_CHUNK, parameters)).scalars())


async def load_followers(
    session: ReadSession, user_id: int, *, viewer_id: int, below: tuple[datetime, int], size: int
) -> list[PersonRow]:
    """Followers of an account, newest first, below a (time, id) keyset."""
    return await _load_people(session, _FOLLOWERS, user_id, viewer_id, below, size)


async def load_following(
    session: ReadSession, user_id: int, *, viewer_id: int, below: tuple[datetime, int], size: int
) -> list[PersonRow]:
    """Whom an account follows, newest first, below a (time, id) keyset."""
    return await _load_people(session, _FOLLOWING, user_id, viewer_id, below, size)


async def load_follow_requests(
    session: ReadSession, user_id: int, *, viewer_id: int, below: tuple[datetime, int], size: int
) -> list[PersonRow]:
    """Open requests to follow an account, newest first, below a (time, id) keyset."""
    return await _load_people(session, _REQUESTS, user_id, viewer_id, below, size)


async def _load_people(
    session: ReadSession, statement: object, user_id: int, viewer_id: int, below: tuple[datetime, int], size: int
) -> list[PersonRow]:
    rows = await session.execute(
        statement,  # type: ignore[call-overload]
        {"user_id": user_id, "viewer_id": viewer_id, "below_time": below[0], "below_id": below[1], "size": size},
    )
    end = 1 + USER_WIDTH
    return [(row[0], to_user(row[1:end]), to_relation(row[end:])) for row in rows]
