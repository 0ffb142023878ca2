"""Whom somebody might like to follow: friends of friends, and popular accounts. Whether the viewer sees them is decided
elsewhere."""

from __future__ import annotations

from sqlalchemy import text

from db.database import ReadSession, WriteSession

# Follows, requests, blocks either way, mutes at this moment; and oneself.
_NOT_KNOWN = """
  {id} <> :viewer_id
  AND NOT EXISTS (SELECT FROM follows f WHERE f.follower_id = :viewer_id AND f.followee_id = {id})
  AND NOT EXISTS (SELECT FROM follow_requests r WHERE r.follower_id = :viewer_id AND r.followee_id = {id})
  AND NOT EXISTS (SELECT FROM blocks b WHERE b.blocker_id = :viewer_id AND b.blocked_id = {id})
  AND NOT EXISTS (SELECT FROM blocks b WHERE b.blocker_id = {id} AND b.blocked_id = :viewer_id)
  AND NOT EXISTS (SELECT FROM mutes m WHERE m.muter_id = :viewer_id AND m.muted_id = {id}
    AND (m.until IS NULL OR m.until > statement_timestamp()))
"""
# Bounded at every step: some followees, of each the newest follows, of what comes together the most frequent.
_FRIENDS_OF_FRIENDS = text(
    f"""
    WITH friends AS MATERIALIZED (
      SELECT w.followee_id AS id FROM follows w JOIN users u ON u.id = w.followee_id
      WHERE w.follower_id = :viewer_id AND u.suspended_at IS NULL AND u.shadow_banned_at IS NULL
      ORDER BY w.interaction_score DESC, w.created_at DESC, w.followee_id DESC LIMIT :friends
    ), met AS (
      SELECT theirs.followee_id AS id, count(*) AS mutual FROM friends CROSS JOIN LATERAL (
        SELECT t.followee_id FROM follows t WHERE t.follower_id = friends.id
        ORDER BY t.created_at DESC, t.followee_id DESC LIMIT :follows_each
      ) AS theirs GROUP BY 1
    ), strangers AS MATERIALIZED (
      SELECT id, mutual FROM met WHERE {_NOT_KNOWN.format(id="met.id")} ORDER BY mutual DESC, id DESC LIMIT :strangers
    )
    SELECT u.id FROM strangers JOIN users u USING (id) WHERE u.suspended_at IS NULL AND u.shadow_banned_at IS NULL
    ORDER BY mutual DESC, u.follower_count DESC, u.id DESC LIMIT :size
    """
)
_FOLLOWS_ANYBODY = text("SELECT EXISTS (SELECT FROM follows WHERE follower_id = :viewer_id)")
# Until a worker has looked for the first time, some accounts that there are must do.
_POPULAR = text(
    f"""
    SELECT u.id FROM (
      SELECT user_id, follower_count FROM popular_accounts
      UNION ALL
      SELECT id, follower_count FROM (
        SELECT id, follower_count FROM users WHERE NOT EXISTS (SELECT FROM popular_accounts) LIMIT :popular
      ) AS anybody
    ) AS popular (id, known_count) JOIN users u USING (id)
    WHERE u.suspended_at IS NULL AND u.shadow_banned_at IS NULL AND {_NOT_KNOWN.format(id="u.id")}
    ORDER BY known_count DESC, u.id DESC LIMIT :size
    """
)
_FIND_POPULAR = """
    SELECT id, follower_count FROM users
    WHERE follower_count > 0 AND suspended_at IS NULL AND shadow_banned_at IS NULL
    ORDER BY follower_count DESC, id DESC LIMIT :popular
"""
# Only what has changed is written.
_REFRESH_POPULAR = text(
    f"""
    WITH newest AS MATERIALIZED ({_FIND_POPULAR}), gone AS (
      DELETE FROM popular_accounts p WHERE NOT EXISTS (SELECT FROM newest WHERE newest.id = p.user_id)
    )
    INSERT INTO popular_accounts AS p (user_id, follower_count) SELECT id, follower_count FROM newest ORDER BY id
    ON CONFLICT (user_id) DO UPDATE SET follower_count = excluded.follower_count
      WHERE p.follower_count <> excluded.follower_count
    """
)


async def load_friends_of_friends(
    session: ReadSession, viewer_id: int, *, friends: int, follows_each: int, strangers: int, size: int
) -> list[int]:
    """Those that most of the viewer's followees follow; then those with more followers. `friends`: followees that are asked,
    those first with whom the viewer deals most; `follows_each`: their newest; `strangers`: how many are judged in the end."""
    rows = await session.execute(
        _FRIENDS_OF_FRIENDS,
        {"viewer_id": viewer_id, "friends": friends, "follows_each": follows_each, "strangers": strangers, "size": size},
    )
    return list(rows.scalars())


async def follows_anybody(session: ReadSession, viewer_id: int) -> bool:
    return bool((await session.execute(_FOLLOWS_ANYBODY, {"viewer_id": viewer_id})).scalar_one())


async def load_popular_strangers(session: ReadSession, viewer_id: int, *, popular: int, size: int) -> list[int]:
    """The most followed accounts with which the viewer has nothing to do yet."""
    rows = await session.execute(_POPULAR, {"viewer_id": viewer_id, "popular": popular, "size": size})
    return list(rows.scalars())


async def refresh_popular_accounts(session: WriteSession, *, popular: int) -> None:
    """Looks through all accounts."""
    await session.execute(_REFRESH_POPULAR, {"popular": popular})
