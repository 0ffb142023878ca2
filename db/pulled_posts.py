"""Posts of pulled authors: whose a viewer has to ask for, and what they are where no cache answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import text

from db.database import ReadSession
from db.feed_candidates import IdRange

# Versions and content in one statement, so that they belong together.
_PULLED_AUTHORS = text(
    """
    SELECT v.graph_version, d.pulled_version,
      (SELECT array_agg(ARRAY[u.id, u.import_version])
       FROM follows f JOIN users u ON u.id = f.followee_id AND u.has_pulled_posts WHERE f.follower_id = v.id)
    FROM users v CROSS JOIN deployment d WHERE v.id = :viewer_id
    """
)
_OF_AUTHORS = """
    SELECT p.id FROM unnest(CAST(:author_ids AS bigint[])) AS a(id) CROSS JOIN LATERAL (
      SELECT id FROM posts WHERE author_id = a.id AND delivery = 'PULL' AND deleted_at IS NULL
        AND id > :above AND id < :below ORDER BY id {direction} LIMIT :size
    ) p ORDER BY p.id {direction} LIMIT :size
"""
_OF_AUTHORS_BOTH = text(_OF_AUTHORS.replace("{direction}", "DESC")), text(_OF_AUTHORS.replace("{direction}", "ASC"))
_NEWEST = text(
    """
    SELECT a.id, ARRAY(
      SELECT id FROM posts WHERE author_id = a.id AND delivery = 'PULL' AND deleted_at IS NULL ORDER BY id DESC LIMIT :size
    ) FROM unnest(CAST(:author_ids AS bigint[])) AS a(id)
    """
)


@dataclass(frozen=True, slots=True)
class FollowedPulledAuthors:
    """Whom a viewer follows who has pulled posts: import versions by author, and the versions of which this is true."""

    graph_version: int
    pulled_version: int
    import_versions: dict[int, int]


async def load_pulled_authors(session: ReadSession, viewer_id: int) -> FollowedPulledAuthors | None:
    """None where the account does not exist."""
    row = (await session.execute(_PULLED_AUTHORS, {"viewer_id": viewer_id})).first()
    return FollowedPulledAuthors(row[0], row[1], dict(row[2] or ())) if row is not None else None


async def load_pulled_ids(session: ReadSession, author_ids: Iterable[int], span: IdRange, *, size: int) -> list[int]:
    """The newest pulled posts of the authors within the range, or the oldest where it is ascending."""
    parameters = {"author_ids": list(author_ids), "above": span.above, "below": span.below, "size": size}
    return list((await session.execute(_OF_AUTHORS_BOTH[span.ascending], parameters)).scalars())


async def load_newest_pulled_ids(session: ReadSession, author_ids: Iterable[int], *, size: int) -> dict[int, list[int]]:
    """For each author the newest pulled posts that are not deleted, whoever may see them, newest first."""
    rows = await session.execute(_NEWEST, {"author_ids": list(author_ids), "size": size})
    return {row[0]: row[1] for row in rows}
