"""Whether what people did is still so: read by workers that form notifications, after they have locked who is told."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import TextClause, text

from db.database import ReadSession

Pair = tuple[int, int]
"""(who, to whom or to what)"""

_PAIRS = "unnest(CAST(:firsts AS bigint[]), CAST(:seconds AS bigint[])) AS p(first, second)"
_LIKES = text(f"SELECT p.first, p.second FROM {_PAIRS} JOIN likes l ON l.user_id = p.first AND l.post_id = p.second")
_BOOKMARKS = text(f"SELECT p.first, p.second FROM {_PAIRS} JOIN bookmarks b ON b.user_id = p.first AND b.post_id = p.second")
_FOLLOWS = text(
    f"SELECT p.first, p.second FROM {_PAIRS} JOIN follows f ON f.follower_id = p.first AND f.followee_id = p.second"
)
_REQUESTS = text(
    f"SELECT p.first, p.second FROM {_PAIRS} JOIN follow_requests f ON f.follower_id = p.first AND f.followee_id = p.second"
)
_COMMENTS = text(
    "SELECT id, post_id, author_id, text, deleted_at IS NOT NULL FROM comments WHERE id = ANY(CAST(:ids AS bigint[]))"
)
# Along the index of the author's comments: a post may have very many.
_OTHER_COMMENTS = text(
    f"""
    SELECT c.* FROM {_PAIRS} CROSS JOIN LATERAL (
      SELECT c.id, c.post_id, c.author_id, c.text, false FROM comments c
      WHERE c.author_id = p.first AND c.post_id + 0 = p.second AND c.deleted_at IS NULL ORDER BY c.id DESC LIMIT :size
    ) AS c
    """
)
_EXISTING_POSTS = text("SELECT id FROM posts WHERE id = ANY(CAST(:ids AS bigint[])) AND deleted_at IS NULL")
_OTHER_SHARES = text(
    f"""
    SELECT p.first, p.second, max(s.id) FROM {_PAIRS}
    JOIN posts s ON s.author_id = p.first AND s.shared_post_id = p.second AND s.deleted_at IS NULL GROUP BY 1, 2
    """
)
_CLOSE_FRIENDS = text(
    """
    SELECT p.id, f.follower_id
    FROM unnest(CAST(:ids AS bigint[]), CAST(:author_ids AS bigint[]), CAST(:after_ids AS bigint[]))
      AS p(id, author_id, after_id)
    CROSS JOIN LATERAL (
      SELECT follower_id FROM follows WHERE followee_id = p.author_id AND close_friend AND follower_id > p.after_id
      ORDER BY follower_id LIMIT :size
    ) AS f ORDER BY 1, 2
    """
)


@dataclass(frozen=True, slots=True)
class WrittenComment:
    """A comment as its row says, deleted or not."""

    id: int
    post_id: int
    author_id: int
    text: str
    is_deleted: bool


async def find_likes(session: ReadSession, pairs: Collection[Pair]) -> set[Pair]:
    """Those (account, post) whose like is there."""
    return await _existing(session, _LIKES, pairs)


async def find_bookmarks(session: ReadSession, pairs: Collection[Pair]) -> set[Pair]:
    """Those (account, post) whose bookmark is there."""
    return await _existing(session, _BOOKMARKS, pairs)


async def find_follows(session: ReadSession, pairs: Collection[Pair]) -> set[Pair]:
    """Those (follower, followee) whose follow is there."""
    return await _existing(session, _FOLLOWS, pairs)


async def find_follow_requests(session: ReadSession, pairs: Collection[Pair]) -> set[Pair]:
    """Those (follower, followee) whose request is open."""
    return await _existing(session, _REQUESTS, pairs)


async def load_written_comments(session: ReadSession, comment_ids: Collection[int]) -> dict[int, WrittenComment]:
    """By id. None are asked for: none come, without a statement."""
    if not comment_ids:
        return {}
    rows = await session.execute(_COMMENTS, {"ids": list(comment_ids)})
    return {row[0]: WrittenComment(*row) for row in rows}


async def load_other_comments(session: ReadSession, pairs: Collection[Pair], *, size: int) -> dict[Pair, list[WrittenComment]]:
    """The newest comments of (author, post) that exist, newest first, at most `size` each."""
    found: dict[Pair, list[WrittenComment]] = {}
    if pairs:
        for row in await session.execute(_OTHER_COMMENTS, {**_columns(pairs), "size": size}):
            comment = WrittenComment(*row)
            found.setdefault((comment.author_id, comment.post_id), []).append(comment)
    return found


async def find_existing_posts(session: ReadSession, post_ids: Collection[int]) -> set[int]:
    """Those of the posts, shares and quotes that are not deleted."""
    if not post_ids:
        return set()
    return set((await session.execute(_EXISTING_POSTS, {"ids": list(post_ids)})).scalars())


async def find_other_shares(session: ReadSession, pairs: Collection[Pair]) -> dict[Pair, int]:
    """The newest existing share or quote of (account, root)."""
    if not pairs:
        return {}
    return {(row[0], row[1]): row[2] for row in await session.execute(_OTHER_SHARES, _columns(pairs))}


async def load_close_friends(session: ReadSession, walks: Iterable[tuple[int, int, int]], *, size: int) -> dict[int, list[int]]:
    """For each walk (its name, author, follower id to go on behind) the next `size` close friends of the author, by id."""
    found: dict[int, list[int]] = {}
    columns = list(zip(*walks, strict=True))
    if columns:
        ids, author_ids, after_ids = (list(column) for column in columns)
        parameters = {"ids": ids, "author_ids": author_ids, "after_ids": after_ids, "size": size}
        for walk_id, follower_id in await session.execute(_CLOSE_FRIENDS, parameters):
            found.setdefault(walk_id, []).append(follower_id)
    return found


async def _existing(session: ReadSession, statement: TextClause, pairs: Collection[Pair]) -> set[Pair]:
    if not pairs:
        return set()
    return {(row[0], row[1]) for row in await session.execute(statement, _columns(pairs))}


def _columns(pairs: Collection[Pair]) -> dict[str, object]:
    return {"firsts": [first for first, _ in pairs], "seconds": [second for _, second in pairs]}
