"""Tells people who use Tidings that an import has changed their feeds: one row of the outbox each, however much it was.

Only those who were here lately: nobody else holds a cursor that is still good, and an import may concern millions.
"""

from __future__ import annotations

from db.bulk import BulkConnection

# Longer than closed rows of the outbox are kept, and so than any cursor is good.
_IS_HERE = (
    "EXISTS (SELECT FROM account_visits v WHERE v.user_id = u.id AND v.last_active_at > clock_timestamp() - interval '3 days')"
)
_TELL = f"""
INSERT INTO outbox (kind, author_id, before)
SELECT 'feed_changed', u.id, '{{"import": true}}' FROM users u WHERE {_IS_HERE} AND """

# Who is followed sees something else only where they follow back: what is for friends.
_OF_FOLLOWS = (
    _TELL
    + """ u.id IN (
  SELECT follower_id FROM written_follows
  UNION
  SELECT w.followee_id FROM written_follows w JOIN follows f ON f.follower_id = w.followee_id AND f.followee_id = w.follower_id
)"""
)
_OF_POSTS = (
    _TELL
    + """ u.id IN (
  SELECT user_id FROM touched
  UNION
  SELECT h.user_id FROM written_posts w JOIN post_hashtags t ON t.post_id = w.id
  JOIN hashtag_follows h ON h.hashtag_id = t.hashtag_id
)"""
)
_OF_POSTS_LATE = (
    _TELL
    + """ u.id IN (
  SELECT viewer_id FROM feed_sources WHERE author_id IN (SELECT user_id FROM touched WHERE is_author)
  EXCEPT SELECT user_id FROM touched
)"""
)


async def tell_of_follows(connection: BulkConnection) -> None:
    """In the transaction that wrote the follows of the temporary table `written_follows`."""
    await connection.execute(_OF_FOLLOWS)


async def tell_of_posts(connection: BulkConnection) -> None:
    """In the transaction that wrote `written_posts` with their hashtags, after `announce_posts.announce`."""
    await connection.execute(_OF_POSTS)


async def tell_late_followers(connection: BulkConnection) -> None:
    """After its commit: who began to follow an author meanwhile was not seen by it."""
    await connection.execute(_OF_POSTS_LATE)
