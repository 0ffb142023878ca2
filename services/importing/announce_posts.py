"""What tells of posts that came past the outbox: counts, marks and versions of their authors and of all who read them."""

from __future__ import annotations

from db.bulk import BulkConnection
from services.importing import tell_viewers

_CREATE_TOUCHED = """
CREATE TEMP TABLE touched ON COMMIT PRESERVE ROWS AS
WITH authors AS (
  SELECT p.author_id, count(*) FILTER (WHERE visibility = 'PUBLIC' AND NOT is_plain_share) AS public_posts,
    bool_or(delivery = 'PULL') AS is_pulled
  FROM posts p JOIN written_posts w USING (id) GROUP BY p.author_id
)
SELECT user_id, sum(public_posts)::int AS public_posts, bool_or(is_pulled) AS is_pulled,
  bool_or(is_author) AS is_author, bool_or(is_follower) AS is_follower
FROM (
  SELECT author_id, public_posts, is_pulled, true, false FROM authors
  UNION ALL
  SELECT DISTINCT viewer_id, 0, false, false, true FROM feed_sources WHERE author_id IN (SELECT author_id FROM authors)
) AS sides (user_id, public_posts, is_pulled, is_author, is_follower) GROUP BY user_id
"""

_LOCK = """
SELECT count(*) FROM (
  SELECT FROM users WHERE id IN (SELECT user_id FROM touched) ORDER BY id FOR NO KEY UPDATE
) AS locked
"""

# Before the accounts are marked: who is not marked yet is pulled for the first time.
_COUNT_NEWLY_PULLED = """
UPDATE deployment SET pulled_version = pulled_version + 1
WHERE EXISTS (SELECT FROM touched t JOIN users u ON u.id = t.user_id WHERE t.is_pulled AND NOT u.has_pulled_posts)
"""

_UPDATE_USERS = """
UPDATE users SET
  post_count = post_count + public_posts,
  has_pulled_posts = has_pulled_posts OR is_pulled,
  import_version = import_version + is_author::int,
  graph_version = graph_version + is_follower::int
FROM touched WHERE id = user_id
"""

_LATE_FOLLOWERS = """
UPDATE users SET graph_version = graph_version + 1 WHERE id IN (
  SELECT viewer_id FROM feed_sources WHERE author_id IN (SELECT user_id FROM touched WHERE is_author)
  EXCEPT SELECT user_id FROM touched WHERE is_follower
)
"""


async def begin(connection: BulkConnection) -> None:
    """Before the transaction: forgets whom the one before touched."""
    await connection.execute("DROP TABLE IF EXISTS touched")


async def announce(connection: BulkConnection) -> None:
    """In the transaction that wrote the posts of the temporary table `written_posts`. Locks accounts."""
    await connection.execute("ANALYZE written_posts")
    await connection.execute(_CREATE_TOUCHED)
    await connection.execute("ANALYZE touched")
    await connection.fetch_value(_LOCK)
    await connection.execute(_COUNT_NEWLY_PULLED)
    await connection.execute(_UPDATE_USERS)


async def announce_to_late_followers(connection: BulkConnection) -> None:
    """After the commit: who began to follow an author meanwhile was not seen, and may have built a timeline without them."""
    await connection.execute(_LATE_FOLLOWERS)
    await tell_viewers.tell_late_followers(connection)
