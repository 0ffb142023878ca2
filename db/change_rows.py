"""Rows of the outbox as what happened: by id, since a snapshot, and whom they may concern. For one repeatable snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import text

from db.database import ReadSession
from db.outbox import OutboxKind

_COLUMNS = "o.id, o.xact_id::text::bigint, o.kind, o.author_id, o.post_id, o.before"
_BY_IDS = text(f"SELECT {_COLUMNS} FROM outbox o WHERE o.id = ANY(CAST(:ids AS bigint[]))")
_OF_POSTS = text(
    f"""
    SELECT {_COLUMNS} FROM outbox o
    WHERE o.post_id = ANY(CAST(:ids AS bigint[])) AND o.xact_id >= CAST(CAST(:since AS text) AS xid8)
      AND o.xact_id < pg_snapshot_xmax(pg_current_snapshot())
    ORDER BY o.id
    """
)
# The second bound is for a restored database, whose old rows may name transactions still to come.
_OF_ACCOUNTS = text(
    f"""
    SELECT {_COLUMNS} FROM outbox o
    WHERE o.post_id IS NULL AND o.author_id = ANY(CAST(:ids AS bigint[])) AND o.xact_id >= CAST(CAST(:since AS text) AS xid8)
      AND o.xact_id < pg_snapshot_xmax(pg_current_snapshot())
    ORDER BY o.id
    """
)

# Whom a row may concern: (row, viewer), each pair perhaps several times. `r`: the rows; `v(id)`: the viewers. Who has followed
# or has unfollowed since, or has changed hashtags, has a row of their own that leads to the same posts.
_CONCERNED = """
    SELECT r.id, r.author_id AS viewer_id FROM r WHERE r.author_id IN (SELECT id FROM v)
    UNION ALL
    SELECT r.id, v.id FROM r CROSS JOIN v WHERE r.kind = 'account_changed'
    UNION ALL
    SELECT r.id, s.viewer_id FROM v JOIN feed_sources s ON s.viewer_id = v.id JOIN r ON r.author_id = s.author_id
    WHERE r.post_id <= s.until_id
    UNION ALL
    SELECT r.id, h.user_id FROM r JOIN post_hashtags t ON t.post_id = r.post_id
    JOIN hashtag_follows h ON h.hashtag_id = t.hashtag_id JOIN v ON v.id = h.user_id
    UNION ALL
    SELECT r.id, h.user_id FROM r CROSS JOIN LATERAL jsonb_array_elements_text(r.before -> 'hashtag_ids') AS t(hashtag_id)
    JOIN hashtag_follows h ON h.hashtag_id = t.hashtag_id::bigint JOIN v ON v.id = h.user_id
    WHERE jsonb_typeof(r.before -> 'hashtag_ids') = 'array'
    UNION ALL
    SELECT p.row_id, s.viewer_id FROM passed_on p JOIN feed_sources s ON s.author_id = p.author_id JOIN v ON v.id = s.viewer_id
    UNION ALL
    SELECT p.row_id, p.author_id FROM passed_on p WHERE p.author_id IN (SELECT id FROM v)
    UNION ALL
    SELECT p.row_id, h.user_id FROM passed_on p JOIN post_hashtags t ON t.post_id = p.id
    JOIN hashtag_follows h ON h.hashtag_id = t.hashtag_id JOIN v ON v.id = h.user_id WHERE NOT p.is_plain_share
"""
# Shares and quotes of posts that were changed or deleted, and shares of those quotes.
_PASSED_ON = """
    first AS (
      SELECT r.id AS row_id, p.id, p.author_id, p.is_plain_share FROM r JOIN posts p ON p.shared_post_id = r.post_id
      WHERE r.before IS NOT NULL
    ),
    passed_on AS (
      SELECT * FROM first
      UNION ALL
      SELECT f.row_id, p.id, p.author_id, p.is_plain_share FROM first f JOIN posts p ON p.shared_post_id = f.id
      WHERE NOT f.is_plain_share AND p.is_plain_share
    )
"""
_CONCERNED_BY_IDS = text(
    f"""
    WITH v AS (SELECT id FROM unnest(CAST(:viewer_ids AS bigint[])) AS given(id)),
    r AS MATERIALIZED (SELECT * FROM outbox WHERE id = ANY(CAST(:ids AS bigint[]))),
    {_PASSED_ON}
    SELECT c.id, array_agg(DISTINCT c.viewer_id) FROM ({_CONCERNED}) c GROUP BY c.id
    """
)
_MISSED = text(
    f"""
    WITH l AS (
      SELECT number, viewer_id, CAST(seen AS pg_snapshot) AS seen
      FROM unnest(CAST(:viewer_ids AS bigint[]), CAST(:seen AS text[])) WITH ORDINALITY AS given(viewer_id, seen, number)
    ),
    v AS (SELECT DISTINCT viewer_id AS id FROM l),
    r AS MATERIALIZED (
      SELECT * FROM outbox o
      WHERE o.xact_id >= CAST(CAST(:since AS text) AS xid8) AND o.xact_id < pg_snapshot_xmax(pg_current_snapshot())
    ),
    {_PASSED_ON},
    found AS (
      SELECT DISTINCT l.number, r.id FROM ({_CONCERNED}) c
      JOIN r ON r.id = c.id JOIN l ON l.viewer_id = c.viewer_id AND NOT pg_visible_in_snapshot(r.xact_id, l.seen)
    )
    SELECT number, array_agg(id ORDER BY id) FROM found GROUP BY number
    """
)


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A row of the outbox: something has happened to a post, an account, or one viewer's feed."""

    id: int
    transaction_id: int
    kind: OutboxKind
    author_id: int
    post_id: int | None
    before: Mapping[str, Any] | None

    @property
    def is_publication(self) -> bool:
        """Whether a post appears that was never there before."""
        return self.before is None and self.kind is OutboxKind.POST_PUBLISHED


async def load_rows(session: ReadSession, row_ids: Iterable[int]) -> dict[int, ChangeRow]:
    """The rows that exist, by id."""
    rows = await session.execute(_BY_IDS, {"ids": list(row_ids)})
    return {row[0]: _to_row(row) for row in rows}


async def load_rows_of_posts(session: ReadSession, post_ids: Iterable[int], *, since: int) -> list[ChangeRow]:
    """What transactions from that one on did to the posts, in the order of ids, which is that of the changes of one post."""
    rows = await session.execute(_OF_POSTS, {"ids": list(post_ids), "since": str(since)})
    return [_to_row(row) for row in rows]


async def load_rows_of_accounts(session: ReadSession, account_ids: Iterable[int], *, since: int) -> list[ChangeRow]:
    """The same of the accounts themselves, and of their own feeds."""
    rows = await session.execute(_OF_ACCOUNTS, {"ids": list(account_ids), "since": str(since)})
    return [_to_row(row) for row in rows]


async def load_concerned(session: ReadSession, row_ids: Iterable[int], viewer_ids: Iterable[int]) -> dict[int, set[int]]:
    """For each row those of the viewers whom it may concern."""
    rows = await session.execute(_CONCERNED_BY_IDS, {"ids": list(row_ids), "viewer_ids": list(viewer_ids)})
    return {row_id: set(viewers) for row_id, viewers in rows}


async def load_missed(session: ReadSession, moments: Sequence[tuple[int, str]], *, since: int) -> list[list[int]]:
    """For each (viewer, snapshot) the ids of the rows that may concern the viewer and that the snapshot does not see.

    `since`: a transaction below which every one of the snapshots sees everything.
    """
    parameters = {"viewer_ids": [one[0] for one in moments], "seen": [one[1] for one in moments], "since": str(since)}
    found: list[list[int]] = [[] for _ in moments]
    for number, ids in await session.execute(_MISSED, parameters):
        found[number - 1] = ids
    return found


def _to_row(row: Sequence[Any]) -> ChangeRow:
    row_id, transaction_id, kind, author_id, post_id, before = row
    if isinstance(before, str | bytes):
        before = orjson.loads(before)
    return ChangeRow(row_id, transaction_id, OutboxKind(kind), author_id, post_id, before)
