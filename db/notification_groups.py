"""Groups of notifications while they are formed. Whoever forms groups has locked their recipients first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text

from db.database import WriteSession
from db.shown_actors import IS_SHOWN_ACCOUNT
from domain.ids import SHARD_MASK, TIME_SHIFT
from domain.notifications import (
    GROUP_WINDOW,
    REMEMBERED,
    TOLD_ONCE,
    Deed,
    GroupKey,
    KnownActor,
    NotificationKind,
)

# One pass in one order: a conflict locks the row, even though nothing is written.
_LOCK = text(
    """
    INSERT INTO notification_positions (user_id, read_to)
    SELECT id, 0 FROM unnest(CAST(:ids AS bigint[])) AS r(id) ORDER BY id
    ON CONFLICT (user_id) DO UPDATE SET read_to = excluded.read_to WHERE false
    """
)
_ALLOWED = text(
    f"""
    SELECT d.recipient_id, d.actor_id
    FROM unnest(CAST(:recipient_ids AS bigint[]), CAST(:actor_ids AS bigint[])) AS d(recipient_id, actor_id)
    JOIN users u ON u.id = d.actor_id
    WHERE {IS_SHOWN_ACCOUNT.format(viewer="d.recipient_id")}
    """
)
_KEYS = "unnest(CAST(:recipient_ids AS bigint[]), CAST(:kinds AS text[]), CAST(:post_ids AS bigint[]))"
_SINCE = f"((extract(epoch FROM clock_timestamp()) * 1000)::bigint - {{milliseconds}}) << {TIME_SHIFT}"
_CURRENT = text(
    f"""
    SELECT k.recipient_id, k.kind, k.post_id, g.id
    FROM {_KEYS} AS k(recipient_id, kind, post_id)
    CROSS JOIN LATERAL (
      SELECT n.id FROM notifications n
      WHERE n.recipient_id = k.recipient_id AND n.kind = k.kind AND n.post_id = k.post_id
        AND n.id >= {_SINCE.format(milliseconds=GROUP_WINDOW // timedelta(milliseconds=1))}
      ORDER BY n.id DESC LIMIT 1
    ) AS g
    """
)
_KNOWN = text(
    f"""
    SELECT d.nr, g.id, g.withdrawn_at IS NOT NULL, g.acted_at, g.comment_id,
      EXISTS (SELECT FROM comments c WHERE c.id = g.comment_id AND c.deleted_at IS NULL), g.share_id
    FROM unnest(CAST(:recipient_ids AS bigint[]), CAST(:kinds AS text[]), CAST(:post_ids AS bigint[]),
        CAST(:actor_ids AS bigint[]))
      WITH ORDINALITY AS d(recipient_id, kind, post_id, actor_id, nr)
    CROSS JOIN LATERAL (
      SELECT n.id, a.withdrawn_at, a.acted_at, a.comment_id, a.share_id
      FROM notifications n JOIN notification_actors a ON a.notification_id = n.id AND a.actor_id = d.actor_id
      WHERE n.recipient_id = d.recipient_id AND n.kind = d.kind AND n.post_id = d.post_id
        AND (n.id >= {_SINCE.format(milliseconds=REMEMBERED // timedelta(milliseconds=1))}
             OR d.kind = ANY(CAST(:told_once AS text[])))
      ORDER BY n.id DESC LIMIT 1
    ) AS g
    """
)
# A recipient's places grow in the order of commits, whatever the clock does: who is told live goes by that. So none is given
# out before the lock is there.
_NEXT_PLACE = f"""
    SELECT m.*, greatest(next_id(m.recipient_id & {SHARD_MASK}),
      (SELECT coalesce(max(l.place), 0) FROM notifications l WHERE l.recipient_id = m.recipient_id)
        + row_number() OVER (PARTITION BY m.recipient_id)) AS place
"""
_BEGIN = text(
    f"""
    INSERT INTO notifications (id, recipient_id, kind, post_id, place)
    SELECT place, recipient_id, kind, post_id, place
    FROM ({_NEXT_PLACE} FROM {_KEYS} AS m(recipient_id, kind, post_id)) AS made
    RETURNING recipient_id, kind, post_id, id
    """
)
_MOVE = text(
    f"""
    UPDATE notifications n SET place = made.place
    FROM ({_NEXT_PLACE} FROM (
      SELECT id, recipient_id FROM notifications WHERE id = ANY(CAST(:ids AS bigint[]))
    ) AS m) AS made
    WHERE n.id = made.id
    """
)
_JOIN = text(
    """
    INSERT INTO notification_actors (notification_id, actor_id, acted_at, comment_id, share_id)
    SELECT * FROM unnest(CAST(:group_ids AS bigint[]), CAST(:actor_ids AS bigint[]), CAST(:acted_ats AS timestamptz[]),
      CAST(:comment_ids AS bigint[]), CAST(:share_ids AS bigint[]))
    ON CONFLICT (notification_id, actor_id) DO UPDATE
      SET acted_at = excluded.acted_at, comment_id = excluded.comment_id, share_id = excluded.share_id, withdrawn_at = NULL
    """
)
_WITHDRAW = text(
    """
    UPDATE notification_actors a SET withdrawn_at = clock_timestamp()
    FROM unnest(CAST(:recipient_ids AS bigint[]), CAST(:kinds AS text[]), CAST(:post_ids AS bigint[]),
        CAST(:actor_ids AS bigint[]), CAST(:comment_ids AS bigint[])) AS d(recipient_id, kind, post_id, actor_id, comment_id)
    JOIN notifications n ON n.recipient_id = d.recipient_id AND n.kind = d.kind AND n.post_id = d.post_id
    WHERE a.notification_id = n.id AND a.actor_id = d.actor_id AND a.withdrawn_at IS NULL
      AND (d.comment_id = 0 OR a.comment_id = d.comment_id)
    """
)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What an actor did is no longer so. `comment_id`: only where the group names this comment."""

    key: GroupKey
    actor_id: int
    comment_id: int | None = None


@dataclass(frozen=True, slots=True)
class Joining:
    """An actor's row in a group, as it shall be."""

    group_id: int
    deed: Deed
    comment_id: int | None
    share_id: int | None
    acted_at: object


async def lock_recipients(session: WriteSession, recipient_ids: Iterable[int]) -> None:
    """Locks whose groups are to be formed, in id order. Read what people did after this: then the last one to look is right."""
    await session.execute(_LOCK, {"ids": sorted(set(recipient_ids))})


async def find_allowed_pairs(session: WriteSession, pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those (recipient, actor) where the recipient is told of the actor: see `db.shown_actors`."""
    if not pairs:
        return set()
    parameters = {"recipient_ids": [pair[0] for pair in pairs], "actor_ids": [pair[1] for pair in pairs]}
    return {(row[0], row[1]) for row in await session.execute(_ALLOWED, parameters)}


async def load_current_groups(session: WriteSession, keys: Collection[GroupKey]) -> dict[GroupKey, int]:
    """The groups that still take somebody in."""
    return {_key(row): row[3] for row in await session.execute(_CURRENT, _key_columns(keys))}


async def load_known_actors(session: WriteSession, deeds: Sequence[Deed]) -> dict[int, KnownActor]:
    """Where the actors stand already, by the deed's place in the sequence."""
    parameters = {
        **_key_columns([deed.key for deed in deeds]),
        "actor_ids": [deed.actor_id for deed in deeds],
        "told_once": [kind.value for kind in TOLD_ONCE],
    }
    return {number - 1: KnownActor(*rest) for number, *rest in await session.execute(_KNOWN, parameters)}


async def begin_groups(session: WriteSession, keys: Collection[GroupKey]) -> dict[GroupKey, int]:
    """New groups, each at the top of its recipient's list."""
    return {_key(row): row[3] for row in await session.execute(_BEGIN, _key_columns(keys))}


async def move_to_top(session: WriteSession, group_ids: Collection[int]) -> None:
    """Unread again."""
    await session.execute(_MOVE, {"ids": list(group_ids)})


async def join_groups(session: WriteSession, joinings: Collection[Joining]) -> None:
    """Writes the actors' rows; who was withdrawn is there again."""
    await session.execute(
        _JOIN,
        {
            "group_ids": [one.group_id for one in joinings],
            "actor_ids": [one.deed.actor_id for one in joinings],
            "acted_ats": [one.acted_at for one in joinings],
            "comment_ids": [one.comment_id for one in joinings],
            "share_ids": [one.share_id for one in joinings],
        },
    )


async def withdraw(session: WriteSession, withdrawals: Collection[Withdrawal]) -> None:
    """Takes actors out of all groups of the key."""
    parameters: Mapping[str, object] = {
        **_key_columns([one.key for one in withdrawals]),
        "actor_ids": [one.actor_id for one in withdrawals],
        "comment_ids": [one.comment_id or 0 for one in withdrawals],
    }
    await session.execute(_WITHDRAW, parameters)


def _key(row: Sequence[object]) -> GroupKey:
    recipient_id, kind, post_id = row[:3]
    return GroupKey(recipient_id, NotificationKind(str(kind)), post_id)  # type: ignore[arg-type]


def _key_columns(keys: Collection[GroupKey]) -> dict[str, object]:
    return {
        "recipient_ids": [key.recipient_id for key in keys],
        "kinds": [key.kind.value for key in keys],
        "post_ids": [key.post_id for key in keys],
    }
