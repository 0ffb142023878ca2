"""Likes and bookmarks: the rows, what they change, and what one viewer has done.

Writing is one statement each: the row says whether anything changed, and only then it is counted and noted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from sqlalchemy import TextClause, text

from db.activities import INSERT_SQL
from db.array_text import array_text
from db.counters import COMMENT_COUNT, LIKE_COUNT
from db.database import ReadSession, WriteSession
from db.people_lists import PersonRow, load_listed_people, people_statement
from domain import subjects
from domain.activities import ActivityKind
from domain.engagement import ViewerMarks
from domain.records import PostCounts

_EXISTING = "SELECT p.id, CAST(:user_id AS bigint) FROM posts p WHERE p.id = :post_id AND p.deleted_at IS NULL"
_INSERT = f"INSERT INTO {{table}} (post_id, user_id) {_EXISTING} ON CONFLICT DO NOTHING RETURNING post_id"
_DELETE = "DELETE FROM {table} WHERE post_id = :post_id AND user_id = :user_id RETURNING post_id"
_COUNT_LIKES = "INSERT INTO counter_changes (post_id, likes) SELECT post_id, {by} FROM changed"
# A statement does not see what it changes itself: the counts are those of before.
_AFTERWARDS = f"""
    SELECT p.id, {LIKE_COUNT}, {COMMENT_COUNT}, p.share_count, EXISTS (SELECT FROM changed),
      EXISTS (SELECT FROM {{other}} o WHERE o.post_id = p.id AND o.user_id = :user_id)
    FROM posts p WHERE p.id = :post_id AND p.deleted_at IS NULL
"""


def _statement(change: str, kind: ActivityKind, *, table: str, other: str, likes: int = 0) -> TextClause:
    note = INSERT_SQL.format(source=f"SELECT '{kind.value}', CAST(:user_id AS bigint), post_id FROM changed")
    counted = f"counted AS ({_COUNT_LIKES.format(by=likes)})," if likes else ""
    return text(
        f"WITH changed AS ({change.format(table=table)}), {counted} noted AS ({note}) {_AFTERWARDS.format(other=other)}"
    )


_LIKE = _statement(_INSERT, ActivityKind.LIKE, table="likes", other="bookmarks", likes=1)
_UNLIKE = _statement(_DELETE, ActivityKind.LIKE, table="likes", other="bookmarks", likes=-1)
_BOOKMARK = _statement(_INSERT, ActivityKind.BOOKMARK, table="bookmarks", other="likes")
_UNBOOKMARK = _statement(_DELETE, ActivityKind.BOOKMARK, table="bookmarks", other="likes")
_MARKS = text(
    """
    SELECT ids.id,
      EXISTS (SELECT FROM likes l WHERE l.post_id = ids.id AND l.user_id = :user_id),
      EXISTS (SELECT FROM bookmarks b WHERE b.post_id = ids.id AND b.user_id = :user_id)
    FROM unnest(CAST(:ids AS bigint[])) AS ids(id)
    """
)
# Numbers go as text: see `db.array_text`.
MARKS_OF_MANY = """
    SELECT viewer_id, post_id, bool_or(is_like) AS has_liked, bool_or(NOT is_like) AS has_bookmarked FROM (
      SELECT a.viewer_id, a.post_id, true AS is_like
      FROM asked a JOIN likes l ON l.post_id = a.post_id AND l.user_id = a.viewer_id
      UNION ALL SELECT a.viewer_id, a.post_id, false
      FROM asked a JOIN bookmarks b ON b.user_id = a.viewer_id AND b.post_id = a.post_id
    ) AS marks GROUP BY 1, 2
"""
"""What viewers have done with posts; `asked` has a row (viewer_id, post_id) for each."""
ASKED_MARKS = """
    asked AS MATERIALIZED (
      SELECT * FROM unnest(CAST(CAST(:viewer_ids AS text) AS bigint[]), CAST(CAST(:marked_ids AS text) AS bigint[]))
        AS a(viewer_id, post_id)
    )
"""
_MARKS_OF_MANY = text(f"WITH {ASKED_MARKS} {MARKS_OF_MANY}")
_ROOT_OF = text("SELECT coalesce(max(shared_post_id), :post_id) FROM posts WHERE id = :post_id AND is_plain_share")
_LIKERS = people_statement("likes", "post_id", "user_id")
_BOOKMARKED = text(
    """
    SELECT created_at, post_id FROM bookmarks
    WHERE user_id = :user_id AND (created_at, post_id) < (:below_time, :below_id)
    ORDER BY created_at DESC, post_id DESC LIMIT :size
    """
)


@dataclass(frozen=True, slots=True)
class MarkChange:
    """How a post stands after a like or bookmark, or its end: its counts, and what the viewer has done with it."""

    has_changed: bool
    counts: PostCounts
    marks: ViewerMarks


async def insert_like(session: WriteSession, *, post_id: int, user_id: int) -> MarkChange | None:
    """The account likes the post; a second time changes nothing. None where the post is gone."""
    row = await _change(session, _LIKE, post_id, user_id)
    return _like_change(row, has_liked=True) if row is not None else None


async def delete_like(session: WriteSession, *, post_id: int, user_id: int) -> MarkChange | None:
    """The account does not like the post any more."""
    row = await _change(session, _UNLIKE, post_id, user_id)
    return _like_change(row, has_liked=False) if row is not None else None


async def insert_bookmark(session: WriteSession, *, post_id: int, user_id: int) -> MarkChange | None:
    """The account keeps the post; a second time changes nothing. None where the post is gone."""
    row = await _change(session, _BOOKMARK, post_id, user_id)
    return _bookmark_change(row, has_bookmarked=True) if row is not None else None


async def delete_bookmark(session: WriteSession, *, post_id: int, user_id: int) -> MarkChange | None:
    """The account does not keep the post any more, whether or not it can be seen."""
    row = await _change(session, _UNBOOKMARK, post_id, user_id)
    return _bookmark_change(row, has_bookmarked=False) if row is not None else None


async def load_marks(session: ReadSession, post_ids: Iterable[int], *, viewer_id: int) -> dict[int, ViewerMarks]:
    """What the viewer has done with each of the posts: one statement, no rows for anybody else."""
    rows = await session.execute(_MARKS, {"ids": list(post_ids), "user_id": viewer_id})
    return {row[0]: ViewerMarks(row[1], row[2]) for row in rows}


async def load_marks_of_many(
    session: ReadSession, asked: Sequence[tuple[int, Sequence[int]]]
) -> dict[int, dict[int, ViewerMarks]]:
    """`load_marks` for viewers, each with posts: by viewer and post where the viewer has done anything at all."""
    rows = await session.execute(_MARKS_OF_MANY, marks_parameters(asked))
    found: dict[int, dict[int, ViewerMarks]] = {}
    for viewer_id, post_id, has_liked, has_bookmarked in rows:
        found.setdefault(viewer_id, {})[post_id] = ViewerMarks(has_liked, has_bookmarked)
    return found


def marks_parameters(asked: Sequence[tuple[int, Sequence[int]]]) -> dict[str, str]:
    """Those of ASKED_MARKS."""
    if not asked:
        return {"viewer_ids": "{}", "marked_ids": "{}"}
    viewers = "".join([f"{viewer_id}," * len(post_ids) for viewer_id, post_ids in asked])
    posts = chain.from_iterable([post_ids for _, post_ids in asked])
    return {"viewer_ids": f"{{{viewers[:-1]}}}", "marked_ids": array_text(posts)}


async def load_root_id(session: ReadSession, post_id: int) -> int:
    """What a share without words shares, also of one that is gone; the id itself for anything else."""
    return int((await session.execute(_ROOT_OF, {"post_id": post_id})).scalar_one())


async def load_likers(
    session: ReadSession, post_id: int, *, viewer_id: int | None, below: tuple[datetime, int], size: int
) -> list[PersonRow]:
    """Who likes a post, newest first, below a (time, id) keyset. Nothing is filtered yet."""
    return await load_listed_people(session, _LIKERS, post_id, viewer_id or 0, below, size)


async def load_bookmarked_ids(
    session: ReadSession, user_id: int, *, below: tuple[datetime, int], size: int
) -> list[tuple[datetime, int]]:
    """(since when, post) of what the account keeps, newest first, below a (time, id) keyset. Nothing is filtered yet."""
    parameters = {"user_id": user_id, "below_time": below[0], "below_id": below[1], "size": size}
    return [(row[0], row[1]) for row in await session.execute(_BOOKMARKED, parameters)]


_Changed = tuple[int, int, int, int, bool, bool]


async def _change(session: WriteSession, statement: TextClause, post_id: int, user_id: int) -> _Changed | None:
    session.touch(subjects.marks(user_id, post_id))
    row = (await session.execute(statement, {"post_id": post_id, "user_id": user_id})).first()
    return tuple(row) if row is not None else None


def _like_change(row: _Changed, *, has_liked: bool) -> MarkChange:
    post_id, likes, comments, shares, has_changed, has_bookmarked = row
    likes += (1 if has_liked else -1) if has_changed else 0
    return MarkChange(has_changed, PostCounts(post_id, max(0, likes), comments, shares), ViewerMarks(has_liked, has_bookmarked))


def _bookmark_change(row: _Changed, *, has_bookmarked: bool) -> MarkChange:
    post_id, likes, comments, shares, has_changed, has_liked = row
    return MarkChange(has_changed, PostCounts(post_id, likes, comments, shares), ViewerMarks(has_liked, has_bookmarked))
