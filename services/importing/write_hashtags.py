"""Which imported posts name which hashtags, written and counted as sets. Locks as `db.post_hashtags` does, after accounts."""

from __future__ import annotations

from collections.abc import Iterable

from db.bulk import BulkConnection

_CREATE_NAMED = "CREATE TEMP TABLE named_hashtags (post_id bigint, name text) ON COMMIT DROP"

_CREATE_MISSING = """
INSERT INTO hashtags (name)
SELECT name FROM named_hashtags n WHERE NOT EXISTS (SELECT FROM hashtags h WHERE h.name = n.name)
GROUP BY name ORDER BY name COLLATE "C" ON CONFLICT DO NOTHING
"""

_LINK = """
INSERT INTO post_hashtags (hashtag_id, post_id)
SELECT h.id, n.post_id FROM named_hashtags n JOIN hashtags h USING (name) ORDER BY 1, 2
"""

_COUNT = """
UPDATE hashtags h SET post_count = h.post_count + counted.posts FROM (
  SELECT known.id, fresh.posts FROM (
    SELECT name, count(*) AS posts FROM named_hashtags JOIN posts p ON p.id = post_id
    WHERE p.visibility = 'PUBLIC' GROUP BY name
  ) AS fresh JOIN hashtags known USING (name)
  ORDER BY known.id FOR NO KEY UPDATE OF known
) AS counted WHERE h.id = counted.id
"""


async def begin_hashtags(connection: BulkConnection) -> None:
    """Makes the temporary table `named_hashtags` of this transaction."""
    await connection.execute(_CREATE_NAMED)


async def note_hashtags(connection: BulkConnection, named: Iterable[tuple[int, str]]) -> None:
    """Notes (post, normalised name), each pair once."""
    await connection.copy("named_hashtags", ("post_id", "name"), named)


async def write_hashtags(connection: BulkConnection) -> None:
    """Writes and counts what was noted. The posts are new, and written already."""
    await connection.execute("ANALYZE named_hashtags")
    await connection.execute(_CREATE_MISSING)
    await connection.execute(_LINK)
    await connection.execute(_COUNT)
