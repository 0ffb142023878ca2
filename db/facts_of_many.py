"""What the feed rule needs beside posts and authors, for many viewers in one statement (`services.memory.gathered_facts`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import orjson
from sqlalchemy import text

from db.array_text import array_text
from db.database import ReadSession
from db.rows import POST_COLUMNS, RELATION_COLUMNS, RELATION_JOINS, USER_COLUMNS, to_post_facts_for_many, to_relation
from domain.preferences import FeedPreferences
from domain.records import PostFacts, Relation

Pair = tuple[int, int]
"""(viewer, account or post)"""
Asked = tuple[int, int, int]
"""(viewer, below, size)"""

_PAIRS = "unnest(CAST(CAST(:viewer_ids AS text) AS bigint[]), CAST(CAST(:ids AS text) AS bigint[])) AS a(viewer_id, id)"
_RELATIONS = text(
    f"SELECT a.viewer_id, a.id, {RELATION_COLUMNS} FROM {_PAIRS} JOIN users u ON u.id = a.id {RELATION_JOINS}".replace(
        ":viewer_id ", "a.viewer_id "
    ).replace(":viewer_id)", "a.viewer_id)")
)
_HASHTAGS = text(
    f"""
    SELECT a.viewer_id, a.id, array_agg(t.hashtag_id ORDER BY t.hashtag_id) FROM {_PAIRS}
    JOIN post_hashtags t ON t.post_id = a.id JOIN hashtag_follows h ON h.hashtag_id = t.hashtag_id AND h.user_id = a.viewer_id
    GROUP BY 1, 2
    """
)
_SHARES = text(
    """
    SELECT shared_post_id, id, author_id FROM posts
    WHERE shared_post_id = ANY(CAST(CAST(:ids AS text) AS bigint[])) AND is_plain_share AND deleted_at IS NULL
    """
)
_OWN_POSTS = text(
    f"""
    SELECT {POST_COLUMNS}, {USER_COLUMNS}, u.settings, ARRAY(
      SELECT t.hashtag_id FROM post_hashtags t JOIN hashtag_follows h ON h.hashtag_id = t.hashtag_id AND h.user_id = u.id
      WHERE t.post_id = p.id ORDER BY t.hashtag_id
    )
    FROM {_PAIRS} JOIN posts p ON p.id = a.id AND p.author_id = a.viewer_id JOIN users u ON u.id = p.author_id
    """
)
_TAGGED = text(
    """
    SELECT a.viewer_id, a.below, a.size, ARRAY(
      SELECT DISTINCT p.id FROM hashtag_follows h CROSS JOIN LATERAL (
        SELECT p.id FROM post_hashtags t JOIN posts p ON p.id = t.post_id
        WHERE t.hashtag_id = h.hashtag_id AND p.deleted_at IS NULL
          AND (p.visibility <> 'PRIVATE' OR p.author_id = a.viewer_id) AND t.post_id < a.below
        ORDER BY t.post_id DESC LIMIT a.size
      ) p WHERE h.user_id = a.viewer_id ORDER BY p.id DESC LIMIT a.size
    )
    FROM unnest(CAST(CAST(:viewer_ids AS text) AS bigint[]), CAST(CAST(:belows AS text) AS bigint[]),
                CAST(CAST(:sizes AS text) AS bigint[])) AS a(viewer_id, below, size)
    """
)


class OwnPost(NamedTuple):
    """A post with what says, besides shares of it, whether it is in its author's own feed."""

    facts: PostFacts
    hashtag_ids: tuple[int, ...]
    """Those of the post that its author follows."""
    preferences: FeedPreferences


async def load_own_posts_of_many(session: ReadSession, pairs: Sequence[Pair]) -> dict[Pair, OwnPost]:
    """The viewer's own post beside each viewer, deleted or not; posts of others are missing."""
    found: dict[Pair, OwnPost] = {}
    for row in await session.execute(_OWN_POSTS, _columns(pairs)):
        *columns, settings, hashtag_ids = row
        facts = to_post_facts_for_many(columns)
        stored = orjson.loads(settings) if isinstance(settings, str | bytes) else settings
        own = OwnPost(facts, tuple(hashtag_ids), FeedPreferences.from_settings(stored))
        found[facts.author.id, facts.post.id] = own
    return found


async def load_relations_of_many(session: ReadSession, pairs: Sequence[Pair]) -> dict[Pair, Relation]:
    """How each viewer stands to the account beside it; accounts that do not exist are missing."""
    rows = await session.execute(_RELATIONS, _columns(pairs))
    return {(row[0], row[1]): to_relation(row[2:]) for row in rows}


async def load_followed_hashtags_of_many(session: ReadSession, pairs: Sequence[Pair]) -> dict[Pair, tuple[int, ...]]:
    """The hashtags of the post that the viewer beside it follows; pairs without any are missing."""
    return {(row[0], row[1]): tuple(row[2]) for row in await session.execute(_HASHTAGS, _columns(pairs))}


async def load_plain_shares(session: ReadSession, root_ids: Sequence[int]) -> dict[int, list[Pair]]:
    """All existing shares without words of the posts, each as (id, who shared it); posts without any are missing."""
    found: dict[int, list[Pair]] = {}
    for root_id, share_id, author_id in await session.execute(_SHARES, {"ids": array_text(root_ids)}):
        found.setdefault(root_id, []).append((share_id, author_id))
    return found


async def load_tagged_ids_of_many(session: ReadSession, asked: Sequence[Asked]) -> dict[Asked, list[int]]:
    """The newest posts with hashtags that the viewer follows, below an id, newest first, at most `size`."""
    parameters = {
        "viewer_ids": array_text(one[0] for one in asked),
        "belows": array_text(one[1] for one in asked),
        "sizes": array_text(one[2] for one in asked),
    }
    return {(row[0], row[1], row[2]): row[3] for row in await session.execute(_TAGGED, parameters)}


def _columns(pairs: Sequence[Pair]) -> dict[str, str]:
    return {"viewer_ids": array_text(one for one, _ in pairs), "ids": array_text(other for _, other in pairs)}
