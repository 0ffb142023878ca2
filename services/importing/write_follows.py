"""Follows with their counts and graph versions, in transactions of a bounded number of rows.

All follows of one follower are in the same transaction: however the rows are cut, and wherever an import was interrupted, its
graph version grows once. Followers of whom everything is new come first, in large transactions: nobody waits for them.
The others come in small ones, since they lock the counts of living accounts until they commit. A follow without `since`
is as old as the younger of its two accounts. The activity's interaction score is written with the new row.
"""

from __future__ import annotations

from typing import NamedTuple

from db.bulk import BulkConnection
from services.importing import tell_viewers

FOLLOWS_PER_TRANSACTION = 500_000
FOLLOWS_PER_TRANSACTION_OF_OLD_ACCOUNTS = 20_000
"""Counts of at most so many living accounts are locked at once, and somewhat less than half a second long."""

# Sorted once: neither window nor number needs another sort.
_CREATE_EDGES = """
CREATE TEMP TABLE edges ON COMMIT PRESERVE ROWS AS
SELECT e.*, coalesce(s.score, 0) AS score FROM (
  SELECT follower_id, followee_id, created_ms, bool_and(are_new) OVER (PARTITION BY follower_id) AS is_fresh,
    row_number() OVER (ORDER BY follower_id, followee_id) AS number
  FROM (
    SELECT DISTINCT ON (a.id, b.id) a.id AS follower_id, b.id AS followee_id, a.is_new AND b.is_new AS are_new,
      coalesce(f.since_ms, greatest(a.created_ms, b.created_ms)) AS created_ms
    FROM staged_follows f JOIN people a ON a.external_id = f.follower JOIN people b ON b.external_id = f.followee
    ORDER BY a.id, b.id, f.line
  ) AS first
) AS e LEFT JOIN scores s USING (follower_id, followee_id)
"""

# Walks the index to the first edge of the next follower.
_END_OF_FOLLOWER = """
SELECT number - 1 FROM edges
WHERE number > $1 AND follower_id <> (SELECT follower_id FROM edges WHERE number = $1) ORDER BY number LIMIT 1
"""

# A file says nothing of blocks: where either blocks the other there is no follow.
_CREATE_WRITTEN = """
CREATE TEMP TABLE written_follows ON COMMIT DROP AS
SELECT * FROM edges e
WHERE number BETWEEN $1 AND $2 AND is_fresh = $3
  AND NOT EXISTS (SELECT FROM follows f WHERE f.follower_id = e.follower_id AND f.followee_id = e.followee_id)
  AND NOT EXISTS (SELECT FROM blocks b WHERE b.blocker_id = e.follower_id AND b.blocked_id = e.followee_id)
  AND NOT EXISTS (SELECT FROM blocks b WHERE b.blocker_id = e.followee_id AND b.blocked_id = e.follower_id)
ORDER BY number
"""

# Without ON CONFLICT, which costs a third more: where a living follow comes in between, the transaction is repeated.
_INSERT = """
INSERT INTO follows (follower_id, followee_id, created_at, interaction_score)
SELECT follower_id, followee_id, timestamptz 'epoch' + created_ms * interval '1 millisecond', score FROM written_follows
"""

_CREATE_COUNT_CHANGES = """
CREATE TEMP TABLE count_changes ON COMMIT DROP AS
SELECT user_id, sum(following)::int AS following, sum(followers)::int AS followers FROM (
  SELECT follower_id, count(*), 0 FROM written_follows GROUP BY follower_id
  UNION ALL SELECT followee_id, 0, count(*) FROM written_follows GROUP BY followee_id
) AS sides (user_id, following, followers) GROUP BY user_id
"""

_FORGET_NEW_PEOPLE = """
CREATE TEMP TABLE old_count_changes ON COMMIT DROP AS
SELECT c.* FROM count_changes c JOIN people p ON p.id = c.user_id WHERE NOT p.is_new
"""

# In the order of ids, as living transactions do: so neither waits for the other in a circle.
_LOCK = """
SELECT count(*) FROM (
  SELECT FROM users WHERE id IN (SELECT user_id FROM {changes}) ORDER BY id FOR NO KEY UPDATE
) AS locked
"""

_UPDATE_COUNTS = """
UPDATE users SET
  follower_count = follower_count + followers,
  following_count = following_count + following,
  graph_version = graph_version + (following > 0)::int,
  audience_version = audience_version + (followers > 0)::int
FROM {changes} WHERE id = user_id
"""


class FollowCut(NamedTuple):
    """The edges of one transaction: numbered `first` to `last`, of fresh followers or of the others."""

    first: int
    last: int
    is_fresh: bool


async def prepare_follows(connection: BulkConnection) -> int:
    """Makes the temporary table `edges` from staged follows and `scores`; returns the number of different follows."""
    edges = await connection.execute(_CREATE_EDGES)
    await connection.execute("CREATE INDEX ON edges (number)")
    await connection.execute("ANALYZE edges")
    return edges


async def cut_follows(connection: BulkConnection, edges: int) -> list[FollowCut]:
    """The transactions to make, in their order."""
    cuts: list[FollowCut] = []
    for is_fresh, size in ((True, FOLLOWS_PER_TRANSACTION), (False, FOLLOWS_PER_TRANSACTION_OF_OLD_ACCOUNTS)):
        first = 1 if await connection.fetch_value("SELECT 1 FROM edges WHERE is_fresh = $1 LIMIT 1", is_fresh) else edges + 1
        while first <= edges:
            last = min(first + size - 1, edges)
            last = await connection.fetch_value(_END_OF_FOLLOWER, last) or edges
            cuts.append(FollowCut(first, last, is_fresh))
            first = last + 1
    return cuts


async def insert_follows(connection: BulkConnection, cut: FollowCut) -> tuple[int, int]:
    """Inserts the edges of one cut and leaves the temporary tables `written_follows`, `count_changes`.

    Returns (new follows, how many of them have a score). Part of a transaction that ends with `count_follows`.
    """
    await connection.execute(_CREATE_WRITTEN, *cut)
    await connection.execute("ANALYZE written_follows")
    await connection.execute(_CREATE_COUNT_CHANGES)
    await connection.execute("ANALYZE count_changes")
    written = await connection.execute(_INSERT)
    await connection.execute(
        "DELETE FROM follow_requests r USING written_follows w "
        "WHERE r.follower_id = w.follower_id AND r.followee_id = w.followee_id"
    )
    await connection.execute(
        "DELETE FROM kept_follows k USING written_follows w WHERE k.viewer_id = w.follower_id AND k.author_id = w.followee_id"
    )
    scored: int = await connection.fetch_value("SELECT count(*) FROM written_follows WHERE score > 0")
    return written, scored


async def count_follows(connection: BulkConnection, *, people_are_counted: bool = False) -> None:
    """Adds what `insert_follows` wrote to the counts of accounts that were there before. Last, since it locks them.

    `people_are_counted`: the new accounts of this very transaction were inserted with their counts.
    """
    if people_are_counted:
        await connection.execute(_FORGET_NEW_PEOPLE)
    changes = "old_count_changes" if people_are_counted else "count_changes"
    await connection.fetch_value(_LOCK.format(changes=changes))
    await tell_viewers.tell_of_follows(connection)
    await connection.execute(_UPDATE_COUNTS.format(changes=changes))
