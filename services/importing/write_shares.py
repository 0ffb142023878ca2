"""Shares without words: reposts whose original is there. After all posts, so that every original is.

What they share is locked first, by the newest id: from a share to what it shares, as everybody locks.
"""

from __future__ import annotations

from db.bulk import BulkConnection
from domain.engagement import SHARE_WEIGHT
from services.importing import announce_posts, tell_viewers

SHARES_PER_TRANSACTION = 5_000
"""What they share is locked until the transaction commits, and with it everybody who likes or shares it."""

_CREATE_NEW = """
CREATE TEMP TABLE new_shares ON COMMIT PRESERVE ROWS AS
SELECT row_number() OVER (ORDER BY id) AS place, * FROM (
  SELECT (ms << 22) | (sequence << 10) | (people.id & 1023) AS id, people.id AS author_id, s.source_id,
    coalesce(f.root_id, original.id) AS root_id
  FROM fresh_posts JOIN staged_posts s USING (number) JOIN fates f USING (number) JOIN people ON people.external_id = s.author
  LEFT JOIN (
    SELECT n.id, o.source_id FROM new_posts n JOIN staged_posts o USING (number)
  ) AS original ON original.source_id = f.root_source
) AS numbered WHERE root_id IS NOT NULL
"""

_LOCK_ROOTS = """
SELECT count(*) FROM (
  SELECT FROM posts WHERE id IN (SELECT root_id FROM new_shares WHERE place BETWEEN $1 AND $2)
  ORDER BY id DESC FOR NO KEY UPDATE
) AS locked
"""

# Judged once more under the lock: people may have shared, hidden or deleted since the reposts were chosen.
_CREATE_WRITTEN = """
CREATE TEMP TABLE written_posts ON COMMIT DROP AS
SELECT n.id, n.author_id, n.source_id, n.root_id
FROM new_shares n JOIN posts r ON r.id = n.root_id JOIN users owner ON owner.id = r.author_id
WHERE n.place BETWEEN $1 AND $2 AND r.deleted_at IS NULL AND r.visibility = 'PUBLIC' AND NOT owner.is_private
  AND NOT EXISTS (
    SELECT FROM posts s WHERE s.shared_post_id = n.root_id AND s.author_id = n.author_id
      AND s.is_plain_share AND s.deleted_at IS NULL
  )
  AND NOT EXISTS (SELECT FROM posts s WHERE s.source_id = n.source_id)
"""

_INSERT = """
INSERT INTO posts (id, author_id, source_id, text, shared_post_id, is_plain_share, delivery, created_at)
SELECT w.id, w.author_id, w.source_id, '', w.root_id, true,
  CASE WHEN u.follower_count >= $1 THEN 'PULL' ELSE 'PUSH' END,
  timestamptz 'epoch' + (w.id >> 22) * interval '1 millisecond'
FROM written_posts w JOIN users u ON u.id = w.author_id ORDER BY w.id
"""

_COUNT = f"""
UPDATE posts SET share_count = share_count + shares, engagement_score = engagement_score + {SHARE_WEIGHT} * shares
FROM (SELECT root_id, count(*) AS shares FROM written_posts GROUP BY root_id) AS counted WHERE id = root_id
"""


async def prepare_shares(connection: BulkConnection) -> int:
    """Makes the temporary table `new_shares`, in the order of ids; returns the number of its rows. After `prepare_posts`."""
    await connection.execute(_CREATE_NEW)
    await connection.execute("CREATE UNIQUE INDEX ON new_shares (place)")
    shares: int = await connection.fetch_value("SELECT count(*) FROM new_shares")
    await connection.execute("ANALYZE new_shares")
    return shares


async def insert_shares(connection: BulkConnection, first: int, last: int, *, celebrity_threshold: int) -> int:
    """Inserts the new shares at the places `first` to `last`, in one transaction with all that tells of them; how many."""
    await announce_posts.begin(connection)
    async with connection.transaction():
        await connection.fetch_value(_LOCK_ROOTS, first, last)
        await connection.execute(_CREATE_WRITTEN, first, last)
        written = await connection.execute(_INSERT, celebrity_threshold)
        await connection.execute(_COUNT)
        await announce_posts.announce(connection)
        await tell_viewers.tell_of_posts(connection)
    await announce_posts.announce_to_late_followers(connection)
    return written
