"""Whom a notification may name: one rule for accounts and for what they did, in SQL, since everybody in a group is counted.

The same as `domain.visibility.can_be_listed`, and not muted; of a share, as `why_post_is_hidden` has it for the share itself.
The viewer is always the recipient, so one statement serves the groups of many.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import text

from db.database import ReadSession
from domain.notifications import MAX_ACTORS

MAX_JUDGED = 10_000
"""Newest actors of a group that are judged one by one; those beyond are counted as they are."""

IS_SHOWN_ACCOUNT = """
  u.suspended_at IS NULL AND u.shadow_banned_at IS NULL
  AND NOT EXISTS (SELECT FROM blocks b WHERE b.blocker_id = {viewer} AND b.blocked_id = u.id)
  AND NOT EXISTS (SELECT FROM blocks b WHERE b.blocker_id = u.id AND b.blocked_id = {viewer})
  AND NOT EXISTS (SELECT FROM mutes m WHERE m.muter_id = {viewer} AND m.muted_id = u.id
    AND (m.until IS NULL OR m.until > statement_timestamp()))
"""
"""Of the account `u`; `{viewer}` is the recipient."""
_FOLLOWS = "EXISTS (SELECT FROM follows f WHERE f.follower_id = n.recipient_id AND f.followee_id = u.id)"
_IS_SHOWN_DEED = f"""
  (a.comment_id IS NULL OR EXISTS (SELECT FROM comments c WHERE c.id = a.comment_id AND c.deleted_at IS NULL))
  AND (a.share_id IS NULL OR EXISTS (
    SELECT FROM posts s WHERE s.id = a.share_id AND s.deleted_at IS NULL AND (
      (s.visibility = 'PUBLIC' AND (NOT u.is_private OR {_FOLLOWS}))
      OR (s.visibility = 'FRIENDS' AND {_FOLLOWS}
          AND EXISTS (SELECT FROM follows f WHERE f.follower_id = u.id AND f.followee_id = n.recipient_id)))))
  AND (n.kind <> 'MENTION' OR a.comment_id IS NOT NULL OR EXISTS (
    SELECT FROM posts p WHERE p.id = n.post_id
      AND p.entities @> jsonb_build_array(jsonb_build_object('u', CAST(n.recipient_id AS text)))))
"""
"""What the actor `a` did to bring them into the group `n` is still there: a mention may have been edited away."""
_SHOWN = text(
    f"""
    SELECT n.id, shown.actor_id, shown.comment_id,
      shown.count + CASE WHEN shown.looked_at < {MAX_JUDGED} THEN 0 ELSE (
        SELECT count(*) FROM notification_actors a WHERE a.notification_id = n.id AND a.withdrawn_at IS NULL
      ) - {MAX_JUDGED} END
    FROM notifications n
    CROSS JOIN LATERAL (
      SELECT a.actor_id, a.comment_id, a.acted_at, a.looked_at, count(*) OVER () AS count
      FROM (
        SELECT a.*, count(*) OVER () AS looked_at FROM (
          SELECT a.actor_id, a.comment_id, a.share_id, a.acted_at FROM notification_actors a
          WHERE a.notification_id = n.id AND a.withdrawn_at IS NULL
          ORDER BY a.acted_at DESC, a.actor_id DESC LIMIT {MAX_JUDGED}
        ) AS a
      ) AS a
      JOIN users u ON u.id = a.actor_id
      WHERE {IS_SHOWN_ACCOUNT.format(viewer="n.recipient_id")} AND {_IS_SHOWN_DEED}
      ORDER BY a.acted_at DESC, a.actor_id DESC LIMIT {MAX_ACTORS}
    ) AS shown
    WHERE n.id = ANY(CAST(:ids AS bigint[]))
    ORDER BY n.id, shown.acted_at DESC, shown.actor_id DESC
    """
)


@dataclass(frozen=True, slots=True)
class ShownActors:
    """Of one group: the newest actors that its recipient may see, how many there are, and what the newest one wrote."""

    actor_ids: tuple[int, ...]
    count: int
    newest_comment_id: int | None


async def load_shown_actors(session: ReadSession, group_ids: Collection[int]) -> dict[int, ShownActors]:
    """By group; groups in which nobody can be seen are missing. One statement."""
    found: dict[int, ShownActors] = {}
    for group_id, actor_id, comment_id, count in await session.execute(_SHOWN, {"ids": list(group_ids)}):
        newer = found.get(group_id)
        if newer is None:
            found[group_id] = ShownActors((actor_id,), count, comment_id)
        else:
            found[group_id] = replace(newer, actor_ids=(*newer.actor_ids, actor_id))
    return found
