"""Which posts a change may bring into feeds or take out of them, as ids of what entries are about.

Deleted posts count as long as somebody may still be shown them: from `since` on. Every statement is for many changes at once;
of each it finds at most `size`, so that who gets so many knows that there may be more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import text

from db.database import ReadSession
from db.rows import POST_COLUMNS, USER_COLUMNS, to_post_facts_for_many
from domain.ids import DAY_MS, TIME_SHIFT
from domain.records import PostFacts

_MANY_SHARES = 1_000
"""Shares of one post from which its shares are looked for by whom the viewers follow."""


def _alive(post: str) -> str:
    return f"({post}.deleted_at IS NULL OR {post}.deleted_at >= :since)"


def _root(post: str) -> str:
    return f"CASE WHEN {post}.is_plain_share THEN {post}.shared_post_id ELSE {post}.id END"


def _is_source(post: str) -> str:
    return f"EXISTS (SELECT FROM feed_sources s WHERE s.viewer_id = w.viewer_id AND s.author_id = {post}.author_id)"


# A quote is in the viewer's feed by its author, by a hashtag, or by a share of it.
_QUOTE_CAME_IN = f"""
    (q.author_id = w.viewer_id OR {_is_source("q")}
     OR EXISTS (SELECT FROM post_hashtags t JOIN hashtag_follows h ON h.hashtag_id = t.hashtag_id AND h.user_id = w.viewer_id
                WHERE t.post_id = q.id)
     OR EXISTS (SELECT FROM posts g WHERE g.shared_post_id = q.id AND g.is_plain_share AND {_is_source("g")}))
"""
_OF_PAIRS = text(
    f"""
    SELECT w.number, ARRAY(
      (SELECT {_root("p")} FROM posts p WHERE w.is_source AND p.author_id = w.account_id AND {_alive("p")}
       ORDER BY p.id DESC LIMIT :size)
      UNION
      (SELECT p.id FROM hashtag_follows h JOIN post_hashtags t ON t.hashtag_id = h.hashtag_id
       JOIN posts p ON p.id = t.post_id AND p.author_id = w.account_id AND {_alive("p")}
       WHERE h.user_id = w.viewer_id LIMIT :size)
      UNION
      (SELECT p.id FROM posts p JOIN posts g ON g.shared_post_id = p.id AND g.is_plain_share AND {_alive("g")}
       WHERE p.author_id = w.account_id AND NOT p.is_plain_share AND {_is_source("g")} LIMIT :size)
      UNION
      (SELECT q.id FROM posts p JOIN posts q ON q.shared_post_id = p.id AND NOT q.is_plain_share AND q.deleted_at IS NULL
       WHERE p.author_id = w.account_id AND p.share_count > 0 AND {_QUOTE_CAME_IN} LIMIT :size)
    )
    FROM unnest(CAST(:viewer_ids AS bigint[]), CAST(:account_ids AS bigint[]), CAST(:are_sources AS boolean[]))
      WITH ORDINALITY AS w(viewer_id, account_id, is_source, number)
    """
)
_QUOTES = text(
    f"""
    SELECT w.number, ARRAY(
      SELECT q.id FROM posts q WHERE q.shared_post_id = w.post_id AND NOT q.is_plain_share AND q.deleted_at IS NULL
        AND {_QUOTE_CAME_IN} LIMIT :size
    )
    FROM unnest(CAST(:viewer_ids AS bigint[]), CAST(:post_ids AS bigint[])) WITH ORDINALITY AS w(viewer_id, post_id, number)
    """
)
_ALL = text(
    f"""
    SELECT w.viewer_id, ARRAY(
      (SELECT p.id FROM posts p WHERE p.author_id = w.viewer_id AND NOT p.is_plain_share AND {_alive("p")}
       ORDER BY p.id DESC LIMIT :size)
      UNION
      (SELECT p.root_id FROM feed_sources s CROSS JOIN LATERAL (
         SELECT {_root("p")} AS root_id FROM posts p WHERE p.author_id = s.author_id AND p.id <= s.until_id AND {_alive("p")}
         ORDER BY p.id DESC LIMIT :size
       ) p WHERE s.viewer_id = w.viewer_id LIMIT :size)
      UNION
      (SELECT p.id FROM hashtag_follows h CROSS JOIN LATERAL (
         SELECT p.id FROM post_hashtags t JOIN posts p ON p.id = t.post_id AND {_alive("p")}
         WHERE t.hashtag_id = h.hashtag_id ORDER BY t.post_id DESC LIMIT :size
       ) p WHERE h.user_id = w.viewer_id LIMIT :size)
    )
    FROM unnest(CAST(:viewer_ids AS bigint[])) AS w(viewer_id)
    """
)
# Also those that have lost the hashtag by an edit since then.
_TAGGED = text(
    f"""
    SELECT w.hashtag_id, ARRAY(
      (SELECT p.id FROM post_hashtags t JOIN posts p ON p.id = t.post_id AND {_alive("p")}
       WHERE t.hashtag_id = w.hashtag_id ORDER BY t.post_id DESC LIMIT :size)
      UNION
      (SELECT o.post_id FROM outbox o WHERE o.xact_id >= CAST(CAST(:transaction AS text) AS xid8) AND o.post_id IS NOT NULL
         AND o.before -> 'hashtag_ids' @> to_jsonb(w.hashtag_id) LIMIT :size)
    )
    FROM unnest(CAST(:hashtag_ids AS bigint[])) AS w(hashtag_id)
    """
)
_SAME_DAY = f"""
    FROM posts g JOIN posts p ON p.author_id = g.author_id
      AND p.id >= (g.id >> {TIME_SHIFT}) / {DAY_MS} * {DAY_MS} << {TIME_SHIFT}
      AND p.id < ((g.id >> {TIME_SHIFT}) / {DAY_MS} + 1) * {DAY_MS} << {TIME_SHIFT}
    WHERE g.id = ANY(CAST(:ids AS bigint[]))
"""
_LATER = text(f"SELECT g.id, array_agg({_root('p')}) {_SAME_DAY} AND p.id > g.id AND {_alive('p')} GROUP BY g.id")
_EARLIER = text(
    f"""
    SELECT g.id, o.id, o.xact_id::text::bigint, o.post_id, o.author_id {
        _SAME_DAY.replace(
            "WHERE",
            '''
      JOIN outbox o ON o.post_id = p.id AND o.kind = 'post_published' AND o.before IS NULL
        AND o.xact_id >= CAST(CAST(:transaction AS text) AS xid8)
    WHERE''',
        )
    } AND p.id < g.id
    """
)
_SHARES = f"""
    SELECT {POST_COLUMNS}, {USER_COLUMNS} FROM posts p JOIN users u ON u.id = p.author_id
    WHERE p.shared_post_id = ANY(CAST(:ids AS bigint[])) AND p.is_plain_share AND {_alive("p")}
"""
_FEW_SHARES = text(_SHARES)
_SHARES_BY_SOURCES = text(
    _SHARES
    + """ AND (p.author_id = ANY(CAST(:former_ids AS bigint[])) OR p.author_id IN (
      SELECT s.author_id FROM unnest(CAST(:viewer_ids AS bigint[])) AS v(id) JOIN feed_sources s ON s.viewer_id = v.id
    ))"""
)
_POST_HASHTAGS = text("SELECT post_id, hashtag_id FROM post_hashtags WHERE post_id = ANY(CAST(:ids AS bigint[])) ORDER BY 1, 2")
_HASHTAG_FOLLOWERS = text(
    """
    SELECT hashtag_id, array_agg(user_id) FROM hashtag_follows
    WHERE user_id = ANY(CAST(:viewer_ids AS bigint[])) AND hashtag_id = ANY(CAST(:ids AS bigint[])) GROUP BY hashtag_id
    """
)


async def load_roots_of_pairs(
    session: ReadSession, pairs: Sequence[tuple[int, int, bool]], *, since: datetime, size: int
) -> list[list[int]]:
    """For each (viewer, account, whether its posts come or came by following): what may be in the viewer's feed because of it.

    Posts by the account, also by hashtags or shares of others, what it has shared, and quotes of its posts.
    """
    found: list[list[int]] = [[] for _ in pairs]
    parameters = {
        "viewer_ids": [pair[0] for pair in pairs],
        "account_ids": [pair[1] for pair in pairs],
        "are_sources": [pair[2] for pair in pairs],
        "since": since,
        "size": size,
    }
    for number, ids in await session.execute(_OF_PAIRS, parameters):
        found[number - 1] = ids
    return found


async def load_quotes_of(session: ReadSession, pairs: Sequence[tuple[int, int]], *, size: int) -> list[list[int]]:
    """For each (viewer, post): existing quotes of the post that may be in the viewer's feed."""
    found: list[list[int]] = [[] for _ in pairs]
    parameters = {"viewer_ids": [pair[0] for pair in pairs], "post_ids": [pair[1] for pair in pairs], "size": size}
    for number, ids in await session.execute(_QUOTES, parameters):
        found[number - 1] = ids
    return found


async def load_all_roots(
    session: ReadSession, viewer_ids: Iterable[int], *, since: datetime, size: int
) -> dict[int, list[int]]:
    """For each viewer what the whole feed may be about."""
    rows = await session.execute(_ALL, {"viewer_ids": list(viewer_ids), "since": since, "size": size})
    return {row[0]: row[1] for row in rows}


async def load_tagged_roots(
    session: ReadSession, hashtag_ids: Iterable[int], *, since: datetime, transaction: int, size: int
) -> dict[int, list[int]]:
    """For each hashtag the newest posts that name it, and those that did before that transaction."""
    parameters = {"hashtag_ids": list(hashtag_ids), "since": since, "transaction": str(transaction), "size": size}
    return {row[0]: row[1] for row in await session.execute(_TAGGED, parameters)}


async def load_later_roots(session: ReadSession, post_ids: Iterable[int], *, since: datetime) -> dict[int, list[int]]:
    """For each post what its author's later posts and shares of the same UTC day are about."""
    rows = await session.execute(_LATER, {"ids": list(post_ids), "since": since})
    return {row[0]: row[1] for row in rows}


async def load_earlier_publications(
    session: ReadSession, post_ids: Iterable[int], *, transaction: int
) -> list[tuple[int, int, int, int, int]]:
    """(post, row, transaction, published post, author): what its author published from that transaction on of the same UTC day
    with a smaller id."""
    rows = await session.execute(_EARLIER, {"ids": list(post_ids), "transaction": str(transaction)})
    return [tuple(row) for row in rows]


async def load_shares(
    session: ReadSession,
    roots: Iterable[PostFacts],
    viewer_ids: Collection[int],
    former_ids: Collection[int],
    *,
    since: datetime,
) -> list[PostFacts]:
    """Shares without words of the posts: all, or of posts with very many those by accounts that some viewer follows, or by
    `former_ids`. `root` is not filled in."""
    few: list[int] = []
    many: list[int] = []
    for root in roots:
        (few if root.post.share_count <= _MANY_SHARES else many).append(root.post.id)
    shares: list[PostFacts] = []
    by_sources = {"viewer_ids": list(viewer_ids), "former_ids": list(former_ids)}
    for statement, ids, more in ((_FEW_SHARES, few, {}), (_SHARES_BY_SOURCES, many, by_sources)):
        if ids:
            rows = await session.execute(statement, {"ids": ids, "since": since, **more})
            shares += [to_post_facts_for_many(row) for row in rows]
    return shares


async def load_post_hashtags(session: ReadSession, post_ids: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """The hashtags that each post names; posts without any are missing."""
    found: dict[int, tuple[int, ...]] = {}
    for post_id, hashtag_id in await session.execute(_POST_HASHTAGS, {"ids": list(post_ids)}):
        found[post_id] = (*found.get(post_id, ()), hashtag_id)
    return found


async def load_hashtag_followers(
    session: ReadSession, hashtag_ids: Iterable[int], viewer_ids: Iterable[int]
) -> dict[int, set[int]]:
    """For each hashtag those of the viewers who follow it."""
    rows = await session.execute(_HASHTAG_FOLLOWERS, {"ids": list(hashtag_ids), "viewer_ids": list(viewer_ids)})
    return {hashtag_id: set(viewers) for hashtag_id, viewers in rows}
