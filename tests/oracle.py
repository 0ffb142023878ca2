"""The truth about a home feed, as one plain query, written apart from the code that it judges (semantics 3 to 9)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from services.backends import Backends


def _visible(post: str, author: str) -> str:
    """The condition under which the viewer may see a post at all."""
    return f"""
      {post}.deleted_at IS NULL AND {author}.suspended_at IS NULL
      AND ({author}.id = :viewer OR (
        {author}.shadow_banned_at IS NULL
        AND NOT EXISTS (SELECT FROM blocks b WHERE b.blocker_id = :viewer AND b.blocked_id = {author}.id)
        AND NOT EXISTS (SELECT FROM blocks b WHERE b.blocker_id = {author}.id AND b.blocked_id = :viewer)
        AND {post}.visibility <> 'PRIVATE'
        AND ({post}.visibility <> 'FRIENDS' OR (
          EXISTS (SELECT FROM follows f WHERE f.follower_id = :viewer AND f.followee_id = {author}.id)
          AND EXISTS (SELECT FROM follows f WHERE f.follower_id = {author}.id AND f.followee_id = :viewer)))
        AND (NOT {author}.is_private OR EXISTS (
          SELECT FROM follows f WHERE f.follower_id = :viewer AND f.followee_id = {author}.id))))
    """


_MUTED = "(SELECT m.muted_id FROM mutes m WHERE m.muter_id = :viewer AND (m.until IS NULL OR m.until > now()))"

# The place of a post or share among its author's of the same UTC day, from 1 on; deleted ones count.
_DAY_PLACE = """(
  SELECT count(*) FROM posts d WHERE d.author_id = p.author_id AND d.id <= p.id
    AND (to_timestamp((d.id >> 22) / 1000.0) AT TIME ZONE 'UTC')::date
      = (to_timestamp((p.id >> 22) / 1000.0) AT TIME ZONE 'UTC')::date)"""

_VALID = f"""
  reasons AS (
    SELECT p.id, p.id AS root_id, 'OWN_POST' AS kind, p.author_id AS via FROM posts p
    WHERE p.author_id = :viewer AND NOT p.is_plain_share
    UNION ALL
    SELECT p.id, p.id, 'FOLLOWED_AUTHOR', p.author_id FROM posts p JOIN follows f ON f.followee_id = p.author_id
    WHERE f.follower_id = :viewer AND NOT p.is_plain_share AND (f.daily_limit IS NULL OR {_DAY_PLACE} <= f.daily_limit)
    UNION ALL
    SELECT p.id, p.id, 'FOLLOWED_AUTHOR', p.author_id FROM posts p JOIN kept_follows k ON k.author_id = p.author_id
    WHERE k.viewer_id = :viewer AND NOT p.is_plain_share AND p.id <= k.until_id
    UNION ALL
    SELECT p.id, p.id, 'FOLLOWED_HASHTAG', h.hashtag_id FROM posts p JOIN post_hashtags t ON t.post_id = p.id
    JOIN hashtag_follows h ON h.hashtag_id = t.hashtag_id WHERE h.user_id = :viewer
    UNION ALL
    SELECT p.id, p.shared_post_id, 'FOLLOWED_SHARER', p.author_id FROM posts p JOIN follows f ON f.followee_id = p.author_id
    WHERE f.follower_id = :viewer AND p.is_plain_share AND NOT f.hide_shares
      AND (f.daily_limit IS NULL OR {_DAY_PLACE} <= f.daily_limit)
    UNION ALL
    SELECT p.id, p.shared_post_id, 'FOLLOWED_SHARER', p.author_id FROM posts p JOIN kept_follows k ON k.author_id = p.author_id
    WHERE k.viewer_id = :viewer AND p.is_plain_share AND p.id <= k.until_id
  ),
  valid AS (
    SELECT r.* FROM reasons r JOIN users me ON me.id = :viewer
    JOIN posts own ON own.id = r.id JOIN users writer ON writer.id = own.author_id
    JOIN posts root ON root.id = r.root_id JOIN users author ON author.id = root.author_id
    WHERE {_visible("own", "writer")} AND {_visible("root", "author")}
      AND writer.id NOT IN {_MUTED} AND author.id NOT IN {_MUTED}
      AND NOT (r.kind = 'FOLLOWED_SHARER' AND coalesce((me.settings ->> 'hide_shares')::boolean, false))
      AND NOT EXISTS (
        SELECT FROM jsonb_array_elements_text(coalesce(me.settings -> 'muted_words', '[]')) AS w(word)
        WHERE root.text ~* ('\\m' || w.word || '\\M'))
  ),
  shown AS (
    SELECT DISTINCT v.id, v.root_id FROM valid v WHERE NOT EXISTS (
      SELECT FROM valid w WHERE w.root_id = v.root_id AND w.id < v.id AND (w.id >> 22) >= (v.id >> 22) - :window_ms)
  )
"""

# `text()` reads a colon as a parameter's beginning, so types are cast in the other way where it would be one.
_ENTRIES = text(
    f"""
    WITH {_VALID}
    SELECT s.id, s.root_id, array_agg(DISTINCT v.kind || ' ' || v.via || ' ' || v.id)
    FROM shown s JOIN valid v ON v.root_id = s.root_id AND v.id >= s.id AND (v.id >> 22) - :window_ms <= (s.id >> 22)
    GROUP BY s.id, s.root_id ORDER BY s.id DESC
    """.replace("::", "\\:\\:")
)

_IS_VALID = text(f"WITH {_VALID} SELECT EXISTS (SELECT FROM valid WHERE id = :reason_id)".replace("::", "\\:\\:"))


@dataclass(frozen=True, slots=True)
class ExpectedReason:
    """A reason by its id, and the account or hashtag that it comes by."""

    id: int
    kind: str
    via: int


@dataclass(frozen=True, slots=True)
class ExpectedEntry:
    """An entry of the feed: the shown reason, the post that it is about, and all valid reasons in the window, newest first."""

    id: int
    root_id: int
    reasons: tuple[ExpectedReason, ...]


async def expected_entries(backends: Backends, viewer_id: int) -> list[ExpectedEntry]:
    """The whole feed, newest first."""
    window_ms = int(backends.policy.repeat_window.total_seconds() * 1_000)
    async with backends.database.reading() as session:
        rows = await session.execute(_ENTRIES, {"viewer": viewer_id, "window_ms": window_ms})
        return [ExpectedEntry(row[0], row[1], _to_reasons(row[2])) for row in rows]


def _to_reasons(texts: list[str]) -> tuple[ExpectedReason, ...]:
    parts = (line.split(" ") for line in texts)
    reasons = (ExpectedReason(int(reason_id), kind, int(via)) for kind, via, reason_id in parts)
    return tuple(sorted(reasons, key=lambda reason: (-reason.id, reason.kind, reason.via)))


async def is_valid_reason(backends: Backends, viewer_id: int, reason_id: int) -> bool:
    """Whether a post or share is a valid reason, shown or spared as a repetition."""
    parameters = {"viewer": viewer_id, "reason_id": reason_id, "window_ms": 0}
    async with backends.database.reading() as session:
        return bool((await session.execute(_IS_VALID, parameters)).scalar())


async def expected_feed(backends: Backends, viewer_id: int) -> list[int]:
    """Every entry id of the viewer's feed, newest first."""
    return [entry.id for entry in await expected_entries(backends, viewer_id)]
