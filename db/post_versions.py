"""Posts with their authors, many at once, as far as they are not what the asker knows already.

One statement both asks whether what is remembered still holds and answers where it does not. A row's version is its `xmin`
(see `db.viewer_looks`); of a post the counts are compared besides, since what is on its way to them leaves the row as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from db.database import ReadSession
from db.rows import POST_COLUMNS, POST_WIDTH, USER_COLUMNS, USER_WIDTH, to_post, to_user
from domain.records import PostRecord, UserRecord

UNKNOWN = -1
"""The version of what nobody knows: no row has it."""

# Counts on their way are few and are read at once, not a look for each post.
_CHANGED = text(
    f"""
    WITH flight AS MATERIALIZED (
      SELECT q.post_id, sum(q.likes) AS likes, sum(q.comments) AS comments FROM counter_changes q
      WHERE q.post_id = ANY(CAST(:ids AS bigint[])) GROUP BY q.post_id
    )
    SELECT r.run, c.* FROM (SELECT pg_postmaster_start_time() AS run) AS r LEFT JOIN LATERAL (
    SELECT k.id AS asked_id, p.xmin::text::bigint, u.xmin::text::bigint, {POST_COLUMNS}, {USER_COLUMNS}
    FROM unnest(CAST(:ids AS bigint[]), CAST(:versions AS bigint[]), CAST(:author_versions AS bigint[]),
                CAST(:likes AS integer[]), CAST(:comments AS integer[])) AS k(id, version, author_version, likes, comments)
    LEFT JOIN posts p ON p.id = k.id LEFT JOIN users u ON u.id = p.author_id LEFT JOIN flight q ON q.post_id = k.id
    WHERE p.id IS NULL OR u.xmin::text::bigint <> k.author_version OR p.xmin::text::bigint <> k.version
      OR greatest(0, p.like_count + coalesce(q.likes, 0)) <> k.likes
      OR greatest(0, p.comment_count + coalesce(q.comments, 0)) <> k.comments
    ) AS c ON true
    """
)


@dataclass(frozen=True, slots=True)
class KnownPost:
    """A post and its author as they were read, with the versions of their rows."""

    post: PostRecord
    author: UserRecord
    version: int
    author_version: int


async def load_changed_posts(
    session: ReadSession, post_ids: Sequence[int], known: Sequence[KnownPost | None]
) -> tuple[datetime, dict[int, KnownPost | None]]:
    """Of the posts those that are not what is known of them (None: nothing) as they are now; None for what does not exist.

    What is missing from the answer is at this moment exactly what is known, if that was read in the same run of the server,
    which comes with the answer (see `db.viewer_looks.Moment`).
    """
    rows = list(
        await session.execute(
            _CHANGED,
            {
                "ids": list(post_ids),
                "versions": [UNKNOWN if one is None else one.version for one in known],
                "author_versions": [UNKNOWN if one is None else one.author_version for one in known],
                "likes": [0 if one is None else one.post.like_count for one in known],
                "comments": [0 if one is None else one.post.comment_count for one in known],
            },
        )
    )
    return rows[0][0], {row[1]: _to_known(row) for row in rows if row[1] is not None}


def _to_known(row: Sequence[Any]) -> KnownPost | None:
    _, _, version, author_version, *columns = row
    if version is None:
        return None
    post, author = to_post(columns[:POST_WIDTH]), to_user(columns[POST_WIDTH : POST_WIDTH + USER_WIDTH])
    return KnownPost(post, author, version, author_version)
