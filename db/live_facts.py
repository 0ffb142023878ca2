"""What the feed rule needs for many viewers at once: how the connected ones stand to the few accounts of a batch of events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import text

from db.database import ReadSession
from db.rows import POST_COLUMNS, USER_COLUMNS, to_post_facts_for_many
from domain.preferences import FeedPreferences
from domain.records import NO_RELATION, PostFacts, Relation

_MANY_SHARES = 1_000
"""Shares of one post from which its shares are looked for by whom the viewers follow."""

# From one side in each case, one look into an index for each: asked for both lists at once, the planner combines them badly
# (40 ms instead of 1 for one author and 300 viewers).
_RELATIONS = text(
    """
    SELECT 'follows', f.follower_id, f.followee_id, f.hide_shares, f.daily_limit, NULL::bigint
    FROM unnest(CAST(:viewer_ids AS bigint[])) AS v(id)
    JOIN follows f ON f.follower_id = v.id AND f.followee_id = ANY(CAST(:account_ids AS bigint[]))
    UNION ALL
    SELECT 'followed', f.followee_id, f.follower_id, NULL, NULL, NULL
    FROM unnest(CAST(:account_ids AS bigint[])) AS a(id)
    JOIN follows f ON f.follower_id = a.id AND f.followee_id = ANY(CAST(:viewer_ids AS bigint[]))
    UNION ALL
    SELECT 'kept', k.viewer_id, k.author_id, NULL, NULL, k.until_id
    FROM unnest(CAST(:viewer_ids AS bigint[])) AS v(id)
    JOIN kept_follows k ON k.viewer_id = v.id AND k.author_id = ANY(CAST(:account_ids AS bigint[]))
    UNION ALL
    SELECT 'blocks', b.blocker_id, b.blocked_id, NULL, NULL, NULL
    FROM unnest(CAST(:viewer_ids AS bigint[])) AS v(id)
    JOIN blocks b ON b.blocker_id = v.id AND b.blocked_id = ANY(CAST(:account_ids AS bigint[]))
    UNION ALL
    SELECT 'blocked', b.blocked_id, b.blocker_id, NULL, NULL, NULL
    FROM unnest(CAST(:account_ids AS bigint[])) AS a(id)
    JOIN blocks b ON b.blocker_id = a.id AND b.blocked_id = ANY(CAST(:viewer_ids AS bigint[]))
    UNION ALL
    SELECT 'mutes', m.muter_id, m.muted_id, NULL, NULL, NULL
    FROM unnest(CAST(:viewer_ids AS bigint[])) AS v(id)
    JOIN mutes m ON m.muter_id = v.id AND m.muted_id = ANY(CAST(:account_ids AS bigint[]))
      AND (m.until IS NULL OR m.until > statement_timestamp())
    """
)
_HASHTAGS = text(
    """
    SELECT t.post_id, h.user_id, h.hashtag_id FROM post_hashtags t
    JOIN hashtag_follows h ON h.hashtag_id = t.hashtag_id AND h.user_id = ANY(CAST(:viewer_ids AS bigint[]))
    WHERE t.post_id = ANY(CAST(:ids AS bigint[])) ORDER BY t.post_id, h.hashtag_id
    """
)
_AWAKE = text("SELECT id, settings FROM users WHERE id = ANY(CAST(:viewer_ids AS bigint[])) AND suspended_at IS NULL")
_SHARES = f"""
    SELECT {POST_COLUMNS}, {USER_COLUMNS} FROM posts p JOIN users u ON u.id = p.author_id
    WHERE p.shared_post_id = ANY(CAST(:ids AS bigint[])) AND p.is_plain_share AND p.deleted_at IS NULL AND p.id >= :from_id
"""
_FEW_SHARES = text(_SHARES)
_SHARES_BY_SOURCES = text(
    _SHARES
    + """ AND p.author_id IN (
      SELECT s.author_id FROM unnest(CAST(:viewer_ids AS bigint[])) AS v(id) JOIN feed_sources s ON s.viewer_id = v.id
    )"""
)


class Relations:
    """How many viewers stand to a few accounts. Close friends and requests are not in it: no feed depends on them."""

    def __init__(self) -> None:
        self._relations: dict[tuple[int, int], Relation] = {}

    def between(self, viewer_id: int, account_id: int) -> Relation:
        return self._relations.get((viewer_id, account_id), NO_RELATION)

    def add(self, viewer_id: int, account_id: int, **changes: Any) -> None:
        self._relations[viewer_id, account_id] = replace(self.between(viewer_id, account_id), **changes)

    def viewers_with_source(self, account_id: int, viewer_ids: Iterable[int]) -> list[int]:
        """Those of the viewers who follow the account, or keep its history."""
        return [
            viewer_id
            for viewer_id in viewer_ids
            if (relation := self._relations.get((viewer_id, account_id))) is not None
            and (relation.follows or relation.kept_until is not None)
        ]


async def load_relations_among(session: ReadSession, viewer_ids: Sequence[int], account_ids: Sequence[int]) -> Relations:
    """One statement, however many there are."""
    relations = Relations()
    parameters = {"viewer_ids": list(viewer_ids), "account_ids": list(account_ids)}
    for kind, viewer_id, account_id, hide_shares, daily_limit, until_id in await session.execute(_RELATIONS, parameters):
        if kind == "follows":
            relations.add(viewer_id, account_id, follows=True, hide_shares=hide_shares, daily_limit=daily_limit)
        elif kind == "followed":
            relations.add(viewer_id, account_id, is_followed_by=True)
        elif kind == "kept":
            relations.add(viewer_id, account_id, kept_until=until_id)
        elif kind == "blocks":
            relations.add(viewer_id, account_id, is_blocking=True)
        elif kind == "blocked":
            relations.add(viewer_id, account_id, is_blocked_by=True)
        else:
            relations.add(viewer_id, account_id, is_muting=True)
    return relations


async def load_followed_hashtags_among(
    session: ReadSession, post_ids: Iterable[int], viewer_ids: Sequence[int]
) -> dict[int, dict[int, tuple[int, ...]]]:
    """For each post, for each of the viewers, the hashtags of the post that the viewer follows."""
    found: dict[int, dict[int, tuple[int, ...]]] = {}
    parameters = {"ids": list(post_ids), "viewer_ids": list(viewer_ids)}
    for post_id, viewer_id, hashtag_id in await session.execute(_HASHTAGS, parameters):
        of_post = found.setdefault(post_id, {})
        of_post[viewer_id] = (*of_post.get(viewer_id, ()), hashtag_id)
    return found


async def load_awake(session: ReadSession, viewer_ids: Iterable[int]) -> dict[int, FeedPreferences]:
    """The preferences of those of the viewers who are not suspended: suspended accounts see nothing."""
    rows = await session.execute(_AWAKE, {"viewer_ids": list(viewer_ids)})
    return {viewer_id: FeedPreferences.from_settings(settings) for viewer_id, settings in rows}


async def load_shares_of(
    session: ReadSession, roots: Iterable[PostFacts], viewer_ids: Sequence[int], *, from_id: int
) -> list[PostFacts]:
    """Existing shares without words of the given posts from an id on: all, or those by accounts that some viewer follows."""
    few = [root.post.id for root in roots if root.post.share_count <= _MANY_SHARES]
    many = [root.post.id for root in roots if root.post.share_count > _MANY_SHARES]
    shares: list[PostFacts] = []
    for statement, ids, more in ((_FEW_SHARES, few, {}), (_SHARES_BY_SOURCES, many, {"viewer_ids": list(viewer_ids)})):
        if ids:
            rows = await session.execute(statement, {"ids": ids, "from_id": from_id, **more})
            shares += [to_post_facts_for_many(row) for row in rows]
    return shares
