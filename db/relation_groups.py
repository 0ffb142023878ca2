"""How very many viewers stand to a few accounts, read in groups of equal relations: there are few kinds of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import text

from db.database import ReadSession
from domain.preferences import FeedPreferences
from domain.records import NO_RELATION, Relation

# From one side in each case, one look into an index for each: asked for both lists at once, the planner combines them badly.
_GROUPS = text(
    """
    SELECT account_id, follows, is_followed_by, is_blocking, is_blocked_by, is_muting, hide_shares, daily_limit, kept_until,
      array_agg(viewer_id)
    FROM (
      SELECT viewer_id, account_id, bool_or(kind = 'follows') AS follows, bool_or(kind = 'followed') AS is_followed_by,
        bool_or(kind = 'blocks') AS is_blocking, bool_or(kind = 'blocked') AS is_blocked_by,
        bool_or(kind = 'mutes') AS is_muting,
        coalesce(bool_or(hide_shares), false) AS hide_shares, max(daily_limit) AS daily_limit, max(kept_until) AS kept_until
      FROM (
        SELECT 'follows' AS kind, f.follower_id AS viewer_id, f.followee_id AS account_id, f.hide_shares, f.daily_limit,
          NULL::bigint AS kept_until
        FROM unnest(CAST(:viewer_ids AS bigint[])) AS v(id)
        JOIN follows f ON f.follower_id = v.id AND f.followee_id = ANY(CAST(:account_ids AS bigint[]))
        UNION ALL
        SELECT 'followed', f.followee_id, f.follower_id, NULL, NULL, NULL
        FROM unnest(CAST(:account_ids AS bigint[])) AS a(id)
        JOIN follows f ON f.follower_id = a.id AND f.followee_id = ANY(CAST(:viewer_ids AS bigint[]))
        UNION ALL
        SELECT 'kept', k.viewer_id, k.author_id, NULL, NULL, k.until_id
        FROM unnest(CAST(:account_ids AS bigint[])) AS a(id)
        JOIN kept_follows k ON k.author_id = a.id AND k.viewer_id = ANY(CAST(:viewer_ids AS bigint[]))
        UNION ALL
        SELECT 'blocks', b.blocker_id, b.blocked_id, NULL, NULL, NULL
        FROM unnest(CAST(:account_ids AS bigint[])) AS a(id)
        JOIN blocks b ON b.blocked_id = a.id AND b.blocker_id = ANY(CAST(:viewer_ids AS bigint[]))
        UNION ALL
        SELECT 'blocked', b.blocked_id, b.blocker_id, NULL, NULL, NULL
        FROM unnest(CAST(:account_ids AS bigint[])) AS a(id)
        JOIN blocks b ON b.blocker_id = a.id AND b.blocked_id = ANY(CAST(:viewer_ids AS bigint[]))
        UNION ALL
        SELECT 'mutes', m.muter_id, m.muted_id, NULL, NULL, NULL
        FROM unnest(CAST(:viewer_ids AS bigint[])) AS v(id)
        JOIN mutes m ON m.muter_id = v.id AND m.muted_id = ANY(CAST(:account_ids AS bigint[]))
          AND (m.until IS NULL OR m.until > statement_timestamp())
      ) AS sides GROUP BY viewer_id, account_id
    ) AS pairs GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
    """
)
_AWAKE = text(
    """
    SELECT settings, array_agg(id) FROM (
      SELECT id, jsonb_strip_nulls(jsonb_build_object(
        'muted_words', settings -> 'muted_words', 'hide_shares', settings -> 'hide_shares')) AS settings
      FROM users WHERE id = ANY(CAST(:viewer_ids AS bigint[])) AND suspended_at IS NULL
    ) AS viewers GROUP BY settings
    """
)


class RelationGroups:
    """Viewers of one kind share one `Relation` object. Close friends and requests are not in it: no feed depends on them."""

    def __init__(self) -> None:
        self._by_account: dict[int, dict[int, Relation]] = {}

    def of(self, account_id: int) -> dict[int, Relation]:
        """By viewer; who is missing has no relation to the account. Empty where it was not asked for."""
        return self._by_account.get(account_id, {})

    def between(self, viewer_id: int, account_id: int) -> Relation:
        return self.of(account_id).get(viewer_id, NO_RELATION)

    def knows(self, account_id: int) -> bool:
        """Whether the account was asked for."""
        return account_id in self._by_account

    async def load(self, session: ReadSession, viewer_ids: Collection[int], account_ids: Iterable[int]) -> None:
        """Adds the accounts, always for the same viewers. One statement, however many there are; none where all are known."""
        wanted = [account_id for account_id in account_ids if account_id not in self._by_account]
        if not wanted:
            return
        self._by_account |= {account_id: {} for account_id in wanted}
        rows = await session.execute(_GROUPS, {"viewer_ids": list(viewer_ids), "account_ids": wanted})
        kinds: dict[tuple[object, ...], Relation] = {}
        for account_id, *columns, viewers in rows:
            key = tuple(columns)
            relation = kinds.get(key)
            if relation is None:
                follows, followed, blocking, blocked, muting, hide_shares, daily_limit, kept_until = columns
                relation = kinds[key] = Relation(
                    follows=follows,
                    is_followed_by=followed,
                    is_blocking=blocking,
                    is_blocked_by=blocked,
                    is_muting=muting,
                    hide_shares=hide_shares,
                    daily_limit=daily_limit,
                    kept_until=kept_until,
                )
            self._by_account[account_id].update(dict.fromkeys(viewers, relation))


async def load_awake_groups(session: ReadSession, viewer_ids: Iterable[int]) -> dict[int, FeedPreferences]:
    """What the feed rule reads of the preferences of those who are not suspended; viewers of one kind share one object."""
    found: dict[int, FeedPreferences] = {}
    for settings, viewers in await session.execute(_AWAKE, {"viewer_ids": list(viewer_ids)}):
        found.update(dict.fromkeys(viewers, FeedPreferences.from_settings(settings)))
    return found
