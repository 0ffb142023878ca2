"""Rows of change: what a feed is made of, as it is before a transaction changes it.

Called before the change, in its transaction, which holds the lock that everybody takes who changes the same: so what is noted
is what the change replaces. Of one subject the first note of a transaction counts, and is the only one written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import TextClause, text

from db.database import WriteSession
from db.outbox import OutboxKind

OTHER_PICTURES = "other_pictures"
"""In a post's row of change: what its pictures have come to was another thing."""
_FOLLOWS = "rf.follower_id IS NOT NULL"
_NOTE_RELATIONS = """
    INSERT INTO outbox (kind, author_id, before)
    SELECT 'feed_changed', v.viewer_id, jsonb_build_object('relation', jsonb_build_object(
      'user_id', v.other_id,
      'follows', rf.follower_id IS NOT NULL,
      'is_followed_by', rb.follower_id IS NOT NULL,
      'is_blocking', EXISTS (SELECT FROM blocks b WHERE b.blocker_id = v.viewer_id AND b.blocked_id = v.other_id),
      'is_blocked_by', EXISTS (SELECT FROM blocks b WHERE b.blocker_id = v.other_id AND b.blocked_id = v.viewer_id),
      'is_muting', rm.muter_id IS NOT NULL,
      'hide_shares', coalesce(rf.hide_shares, false),
      'daily_limit', rf.daily_limit,
      'kept_until', rk.until_id))
    FROM {pairs}
    LEFT JOIN follows rf ON rf.follower_id = v.viewer_id AND rf.followee_id = v.other_id
    LEFT JOIN follows rb ON rb.follower_id = v.other_id AND rb.followee_id = v.viewer_id
    LEFT JOIN mutes rm ON rm.muter_id = v.viewer_id AND rm.muted_id = v.other_id
      AND (rm.until IS NULL OR rm.until > statement_timestamp())
    LEFT JOIN kept_follows rk ON rk.viewer_id = v.viewer_id AND rk.author_id = v.other_id
    WHERE {condition}
    RETURNING author_id, (before #>> '{{relation,user_id}}')::bigint
"""
_GIVEN = "unnest(CAST(:viewer_ids AS bigint[]), CAST(:other_ids AS bigint[])) AS v(viewer_id, other_id)"
# What the followee may see of the follower hangs on this follow only where both follow each other.
_OF_A_FOLLOW = f"""
    (v.viewer_id = :one_id OR {_FOLLOWS})
    AND EXISTS (SELECT FROM follows f WHERE f.follower_id = :one_id AND f.followee_id = :other_id) = CAST(:exists AS boolean)
"""
_OF_A_BLOCK = """
    EXISTS (SELECT FROM blocks b WHERE b.blocker_id = :one_id AND b.blocked_id = :other_id) = CAST(:exists AS boolean)
"""
_OF_A_MUTE = "(rm.muter_id IS NOT NULL) = CAST(:exists AS boolean)"
_OF_KEPT_HISTORY = "rk.viewer_id IS NOT NULL"
_OF_SETTINGS = f"""
    {_FOLLOWS} AND (rf.hide_shares <> coalesce(CAST(:hide_shares AS boolean), rf.hide_shares)
      OR coalesce(rf.daily_limit, 0) <> coalesce(CAST(:daily_limit AS integer), rf.daily_limit, 0))
"""
_ASKED = """
    (SELECT p.viewer_id, p.other_id FROM follow_requests r JOIN users u ON u.id = r.follower_id
     CROSS JOIN LATERAL (VALUES (r.follower_id, r.followee_id), (r.followee_id, r.follower_id)) AS p(viewer_id, other_id)
     WHERE r.followee_id = :followee_id AND u.following_count < :follow_limit) AS v
"""


def _relations(pairs: str, condition: str) -> TextClause:
    return text(_NOTE_RELATIONS.format(pairs=pairs, condition=condition))


_FOLLOW = _relations(_GIVEN, _OF_A_FOLLOW)
_BLOCK = _relations(_GIVEN, _OF_A_BLOCK)
_MUTE = _relations(_GIVEN, _OF_A_MUTE)
_KEPT_HISTORY = _relations(_GIVEN, _OF_KEPT_HISTORY)
_SETTINGS = _relations(_GIVEN, _OF_SETTINGS)
# Those who ask do not follow yet; the way back matters where it is there already.
_ALL_REQUESTS = _relations(_ASKED, f"(v.viewer_id = :followee_id) = ({_FOLLOWS})")
_PREFERENCES = text(
    """
    INSERT INTO outbox (kind, author_id, before)
    SELECT 'feed_changed', u.id, jsonb_build_object('preferences', u.settings)
    FROM users u CROSS JOIN (SELECT CAST(:settings AS jsonb) AS settings) AS n
    WHERE u.id = :user_id AND (u.settings -> 'muted_words' IS DISTINCT FROM n.settings -> 'muted_words'
      OR u.settings -> 'hide_shares' IS DISTINCT FROM n.settings -> 'hide_shares')
    RETURNING 1
    """
)
_HASHTAG_FOLLOW = text(
    """
    INSERT INTO outbox (kind, author_id, before)
    SELECT 'feed_changed', f.user_id, jsonb_build_object('hashtag',
      jsonb_build_object('id', f.hashtag_id, 'followed', NOT CAST(:followed AS boolean)))
    FROM (SELECT CAST(:user_id AS bigint) AS user_id, CAST(:hashtag_id AS bigint) AS hashtag_id) AS f
    WHERE CAST(:followed AS boolean) <> EXISTS (
      SELECT FROM hashtag_follows h WHERE h.user_id = f.user_id AND h.hashtag_id = f.hashtag_id)
    RETURNING 1
    """
)
# Locked first: two changes of one account must each note what the one before has left.
_ACCOUNT = text(
    """
    WITH locked AS (
      SELECT id, is_private, suspended_at IS NOT NULL AS is_suspended, shadow_banned_at IS NOT NULL AS is_shadow_banned
      FROM users WHERE id = :user_id FOR NO KEY UPDATE
    )
    INSERT INTO outbox (kind, author_id, before)
    SELECT 'account_changed', id, jsonb_build_object(
      'is_private', is_private, 'is_suspended', is_suspended, 'is_shadow_banned', is_shadow_banned)
    FROM locked
    WHERE is_private <> coalesce(CAST(:is_private AS boolean), is_private)
      OR is_suspended <> coalesce(CAST(:is_suspended AS boolean), is_suspended)
      OR is_shadow_banned <> coalesce(CAST(:is_shadow_banned AS boolean), is_shadow_banned)
    RETURNING 1
    """
)
_POST = text(
    """
    INSERT INTO outbox (kind, author_id, post_id, before)
    SELECT :kind, p.author_id, p.id, CAST(:more AS jsonb) || jsonb_build_object(
      'text', p.text, 'visibility', p.visibility, 'hashtag_ids',
      (SELECT coalesce(jsonb_agg(t.hashtag_id ORDER BY t.hashtag_id), '[]') FROM post_hashtags t WHERE t.post_id = p.id))
    FROM posts p WHERE p.id = :post_id
    """
)
_DELETED_POST = text(
    """
    INSERT INTO outbox (kind, author_id, post_id, before)
    SELECT 'post_deleted', p.author_id, p.id, '{}' FROM posts p WHERE p.id = :post_id
    """
)


async def note_follow(session: WriteSession, follower_id: int, followee_id: int, *, exists: bool) -> None:
    """A follow begins or ends. `exists`: how it must be now for anything to change. Both feeds, where both are friends."""
    pairs = [(follower_id, followee_id), (followee_id, follower_id)]
    await _note_relations(session, _FOLLOW, pairs, one_id=follower_id, other_id=followee_id, exists=exists)


async def note_block(session: WriteSession, blocker_id: int, blocked_id: int, *, exists: bool) -> None:
    """A block begins or ends; it counts for both feeds."""
    pairs = [(blocker_id, blocked_id), (blocked_id, blocker_id)]
    await _note_relations(session, _BLOCK, pairs, one_id=blocker_id, other_id=blocked_id, exists=exists)


async def note_mute(session: WriteSession, muter_id: int, muted_id: int, *, exists: bool) -> None:
    """A mute begins or ends. One that goes on, for longer or shorter, changes nothing now."""
    await _note_relations(session, _MUTE, [(muter_id, muted_id)], exists=exists)


async def note_kept_history(session: WriteSession, viewer_id: int, author_id: int) -> None:
    """Kept history ends, where there is some."""
    await _note_relations(session, _KEPT_HISTORY, [(viewer_id, author_id)])


async def note_follow_settings(
    session: WriteSession, follower_id: int, followee_id: int, *, hide_shares: bool | None, daily_limit: int | None
) -> None:
    """The settings of a follow that its feed hangs on change; None leaves one as it is, a limit of 0 lifts it."""
    settings = {"hide_shares": hide_shares, "daily_limit": daily_limit}
    await _note_relations(session, _SETTINGS, [(follower_id, followee_id)], **settings)


async def note_all_requests(session: WriteSession, followee_id: int, *, follow_limit: int) -> None:
    """The open requests are about to become follows."""
    rows = await session.execute(_ALL_REQUESTS, {"followee_id": followee_id, "follow_limit": follow_limit})
    session.noted.update(_relation_subject(*row) for row in rows)


async def note_preferences(session: WriteSession, user_id: int, *, settings: Mapping[str, Any]) -> None:
    """Preferences that a feed hangs on are about to become those."""
    subject = f"preferences:{user_id}"
    if subject not in session.noted:
        parameters = {"user_id": user_id, "settings": orjson.dumps(settings).decode()}
        if (await session.execute(_PREFERENCES, parameters)).first() is not None:
            session.noted.add(subject)


async def note_hashtag_follow(session: WriteSession, user_id: int, hashtag_id: int, *, followed: bool) -> None:
    """A hashtag is about to be followed, or not any more."""
    subject = f"hashtag:{user_id}:{hashtag_id}"
    if subject not in session.noted:
        parameters = {"user_id": user_id, "hashtag_id": hashtag_id, "followed": followed}
        if (await session.execute(_HASHTAG_FOLLOW, parameters)).first() is not None:
            session.noted.add(subject)


async def note_account(
    session: WriteSession,
    user_id: int,
    *,
    is_private: bool | None = None,
    is_suspended: bool | None = None,
    is_shadow_banned: bool | None = None,
) -> None:
    """Who may see what the account writes is about to change; None leaves a part as it is. Locks the account."""
    subject = f"account:{user_id}"
    if subject not in session.noted:
        parameters = {"is_private": is_private, "is_suspended": is_suspended, "is_shadow_banned": is_shadow_banned}
        if (await session.execute(_ACCOUNT, {"user_id": user_id, **parameters})).first() is not None:
            session.noted.add(subject)


async def note_edit(session: WriteSession, post_id: int, *, is_published_again: bool) -> None:
    """The promise to tell of an edit, with what the post was. `is_published_again`: it was private and no longer is."""
    kind = OutboxKind.POST_PUBLISHED if is_published_again else OutboxKind.POST_EDITED
    await session.execute(_POST, {"kind": kind.value, "post_id": post_id, "more": "{}"})


async def note_pictures(session: WriteSession, post_id: int) -> None:
    """The promise to tell that the post, which is locked, shows something else, though its words are the same."""
    parameters = {"kind": OutboxKind.POST_EDITED.value, "post_id": post_id, "more": f'{{"{OTHER_PICTURES}": true}}'}
    await session.execute(_POST, parameters)


async def note_deletion(session: WriteSession, post_id: int) -> None:
    """The promise to tell of a deletion. The row of the post keeps what it was."""
    await session.execute(_DELETED_POST, {"post_id": post_id})


async def _note_relations(
    session: WriteSession, statement: TextClause, pairs: Sequence[tuple[int, int]], **parameters: object
) -> None:
    new = [pair for pair in pairs if _relation_subject(*pair) not in session.noted]
    if new:
        ids = {"viewer_ids": [pair[0] for pair in new], "other_ids": [pair[1] for pair in new]}
        rows = await session.execute(statement, ids | parameters)
        session.noted.update(_relation_subject(*row) for row in rows)


def _relation_subject(viewer_id: int, other_id: int) -> str:
    return f"relation:{viewer_id}:{other_id}"
