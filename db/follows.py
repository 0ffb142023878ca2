"""Who follows whom: single edges, lists of people, and chunks for fan-out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text

from db import feed_changes
from db.activities import INSERT_SQL
from db.database import ReadSession, WriteSession
from db.people_lists import PersonRow, load_listed_people, people_statement
from db.users import renew_rows
from domain import subjects

# Kept history ends with the follow that takes its place, by whichever way that comes about.
_INSERT = text(
    """
    WITH forgotten AS (DELETE FROM kept_follows WHERE viewer_id = :follower_id AND author_id = :followee_id)
    INSERT INTO follows (follower_id, followee_id) VALUES (:follower_id, :followee_id) ON CONFLICT DO NOTHING RETURNING 1
    """
)
_DELETE = text("DELETE FROM follows WHERE follower_id = :follower_id AND followee_id = :followee_id RETURNING 1")
_INSERT_REQUEST = text(
    """
    INSERT INTO follow_requests (follower_id, followee_id) VALUES (:follower_id, :followee_id)
    ON CONFLICT DO NOTHING RETURNING 1
    """
)
_DELETE_REQUEST = text(
    "DELETE FROM follow_requests WHERE follower_id = :follower_id AND followee_id = :followee_id RETURNING 1"
)
# Set by set: an account may have been asked by very many. Who follows as many as they may is not made a follower, and the
# request is gone all the same: a public account has none.
_ACCEPT_ALL = text(
    f"""
    WITH asked AS (DELETE FROM follow_requests WHERE followee_id = :followee_id RETURNING follower_id),
    noted AS ({INSERT_SQL.format(source="SELECT 'follow_request', a.follower_id, CAST(:followee_id AS bigint) FROM asked a")}),
    accepted AS (
      INSERT INTO follows (follower_id, followee_id)
      SELECT a.follower_id, CAST(:followee_id AS bigint)
      FROM asked a JOIN users u ON u.id = a.follower_id WHERE u.following_count < :follow_limit
      ON CONFLICT DO NOTHING RETURNING follower_id
    ),
    forgotten AS (
      DELETE FROM kept_follows k USING accepted a WHERE k.viewer_id = a.follower_id AND k.author_id = :followee_id
    ),
    counted AS (
      UPDATE users u SET following_count = u.following_count + 1, graph_version = u.graph_version + 1
      FROM accepted a WHERE u.id = a.follower_id
    )
    UPDATE users SET follower_count = follower_count + (SELECT count(*) FROM accepted), audience_version = audience_version + 1
    WHERE id = :followee_id AND EXISTS (SELECT FROM accepted)
    """
)
_SETTINGS = text(
    """
    UPDATE follows SET
      close_friend = coalesce(CAST(:close_friend AS boolean), close_friend),
      hide_shares = coalesce(CAST(:hide_shares AS boolean), hide_shares),
      daily_limit = CASE WHEN CAST(:daily_limit AS integer) IS NULL THEN daily_limit
                         ELSE nullif(CAST(:daily_limit AS integer), 0) END
    WHERE follower_id = :follower_id AND followee_id = :followee_id RETURNING 1
    """
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


_FOLLOWERS = people_statement("follows", "followee_id", "follower_id")
_FOLLOWING = people_statement("follows", "follower_id", "followee_id")
_REQUESTS = people_statement("follow_requests", "followee_id", "follower_id")


async def insert_follow(session: WriteSession, follower_id: int, followee_id: int) -> bool:
    """Adds the edge, the counts and the graph version. False where it was there already. Call `lock_users` first."""
    session.touch(*subjects.relations(follower_id, followee_id))
    await feed_changes.note_follow(session, follower_id, followee_id, exists=False)
    edge = {"follower_id": follower_id, "followee_id": followee_id}
    if (await session.execute(_INSERT, edge)).first() is None:
        return False
    await session.execute(_COUNT_FOLLOWER, {"user_id": follower_id, "by": 1})
    await session.execute(_COUNT_FOLLOWEE, {"user_id": followee_id, "by": 1})
    return True


async def delete_follow(session: WriteSession, follower_id: int, followee_id: int) -> bool:
    """Takes the edge away, with the counts and the graph version. False where there was none. Call `lock_users` first."""
    session.touch(*subjects.relations(follower_id, followee_id))
    await feed_changes.note_follow(session, follower_id, followee_id, exists=True)
    edge = {"follower_id": follower_id, "followee_id": followee_id}
    if (await session.execute(_DELETE, edge)).first() is None:
        return False
    await session.execute(_COUNT_FOLLOWER, {"user_id": follower_id, "by": -1})
    await session.execute(_COUNT_FOLLOWEE, {"user_id": followee_id, "by": -1})
    return True


async def update_follow_settings(
    session: WriteSession,
    follower_id: int,
    followee_id: int,
    *,
    close_friend: bool | None,
    hide_shares: bool | None,
    daily_limit: int | None,
) -> bool:
    """Sets what is not None; a `daily_limit` of 0 lifts it. False where there is no follow. Call `lock_users` first."""
    session.touch(*subjects.relations(follower_id, followee_id))
    await feed_changes.note_follow_settings(session, follower_id, followee_id, hide_shares=hide_shares, daily_limit=daily_limit)
    await renew_rows(session, follower_id)
    edge = {"follower_id": follower_id, "followee_id": followee_id}
    parameters = {"close_friend": close_friend, "hide_shares": hide_shares, "daily_limit": daily_limit}
    return (await session.execute(_SETTINGS, edge | parameters)).first() is not None


async def is_following(session: ReadSession, follower_id: int, followee_id: int) -> bool:
    edge = {"follower_id": follower_id, "followee_id": followee_id}
    return (await session.execute(_EXISTS, edge)).first() is not None


async def count_following(session: ReadSession, user_id: int) -> int:
    return int((await session.execute(_COUNT_FOLLOWING, {"user_id": user_id})).scalar_one())


async def insert_follow_request(session: WriteSession, follower_id: int, followee_id: int) -> bool:
    """Notes the wish. False where it was there already."""
    session.touch(*subjects.relations(follower_id, followee_id))
    edge = {"follower_id": follower_id, "followee_id": followee_id}
    return (await session.execute(_INSERT_REQUEST, edge)).first() is not None


async def delete_follow_request(session: WriteSession, follower_id: int, followee_id: int) -> bool:
    """Takes the wish back. False where there was none."""
    session.touch(*subjects.relations(follower_id, followee_id))
    edge = {"follower_id": follower_id, "followee_id": followee_id}
    return (await session.execute(_DELETE_REQUEST, edge)).first() is not None


async def accept_all_requests(session: WriteSession, followee_id: int, *, follow_limit: int) -> None:
    """Turns the open requests into follows, of those who follow fewer than `follow_limit`. Lock all of them first.

    Notes that the requests have ended.
    """
    await feed_changes.note_all_requests(session, followee_id, follow_limit=follow_limit)
    await session.execute(_ACCEPT_ALL, {"followee_id": followee_id, "follow_limit": follow_limit})


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
    return await load_listed_people(session, _FOLLOWERS, user_id, viewer_id, below, size)


async def load_following(
    session: ReadSession, user_id: int, *, viewer_id: int, below: tuple[datetime, int], size: int
) -> list[PersonRow]:
    """Whom an account follows, newest first, below a (time, id) keyset."""
    return await load_listed_people(session, _FOLLOWING, user_id, viewer_id, below, size)


async def load_follow_requests(
    session: ReadSession, user_id: int, *, viewer_id: int, below: tuple[datetime, int], size: int
) -> list[PersonRow]:
    """Open requests to follow an account, newest first, below a (time, id) keyset."""
    return await load_listed_people(session, _REQUESTS, user_id, viewer_id, below, size)
