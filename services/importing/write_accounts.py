"""Who the ids of the files are: accounts that exist, and new ones with an id and a username of their own.

Everything new is derived from the file alone, so that any two imports of it give the same: an id's milliseconds are
the account's creation (from the file, else the first time that the files mention it, else an instant of 1970-01-01), its
other 22 bits come from a hash of the file's id, spread over the shards. Where two claim the same id or username, a fixed
order decides and the loser tries its next candidate. Who dealt with nobody but itself is no reason for an account.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from db.bulk import BulkConnection

# The first 64 bits of an MD5: unlike PostgreSQL's own hash functions the same on every version and machine.
_HASH = "('x' || left(md5(external_id || CASE salt WHEN 0 THEN '' ELSE '#' || salt END), 16))::bit(64)::bigint"
_ID = f"(created_ms << 22) | ({_HASH} & 4194303)"
_NAME = r"""
  CASE attempt
    WHEN -1 THEN wished
    WHEN 0 THEN left('u' || plain_id, 50)
    ELSE left('u' || plain_id, 33) || '_' || left(md5(external_id || '#' || attempt), 16)
  END
"""

_CREATE_PEOPLE = rf"""
CREATE TEMP TABLE people ON COMMIT PRESERVE ROWS AS
WITH listed AS (
  SELECT DISTINCT ON (external_id) * FROM staged_accounts ORDER BY external_id, line
), mentioned AS (
  SELECT external_id, min(at_ms) AS at_ms FROM (
    SELECT follower, since_ms FROM staged_follows
    UNION ALL SELECT followee, since_ms FROM staged_follows
    UNION ALL SELECT author, created_us / 1000 FROM staged_posts
    UNION ALL SELECT actor, at_ms FROM staged_activity WHERE actor <> target
    UNION ALL SELECT target, at_ms FROM staged_activity WHERE actor <> target
  ) AS every (external_id, at_ms) GROUP BY external_id
), everybody AS (
  SELECT
    external_id, 0 AS salt, u.id AS existing_id, l.line, l.username AS wished, l.display_name, l.bio,
    coalesce(l.is_verified, false) AS is_verified, coalesce(l.is_private, false) AS is_private,
    greatest(1, coalesce(
      (extract(epoch FROM u.created_at) * 1000)::bigint, l.created_ms, m.at_ms,
      ('x' || left(md5('instant#' || external_id), 16))::bit(64)::bigint & 67108863
    )) AS created_ms,
    CASE WHEN l.username ~ '^[A-Za-z0-9_]{{1,50}}$' THEN -1 ELSE 0 END AS attempt,
    regexp_replace(external_id, '[^A-Za-z0-9_]', '_', 'g') AS plain_id
  FROM listed l FULL JOIN mentioned m USING (external_id) LEFT JOIN users u USING (external_id)
)
SELECT *, coalesce(existing_id, {_ID}) AS id, existing_id IS NULL AS is_new, {_NAME} AS username FROM everybody
"""

_NEXT_IDS = f"""
UPDATE people SET salt = salt + 1, id = (SELECT {_ID} FROM (SELECT people.salt + 1 AS salt) AS next)
FROM (
  SELECT external_id AS loser FROM (
    SELECT external_id, row_number() OVER (PARTITION BY id ORDER BY salt, external_id COLLATE "C") AS place,
      EXISTS (SELECT FROM users WHERE users.id = people.id) AS is_taken
    FROM people WHERE is_new
  ) AS claims WHERE place > 1 OR is_taken
) AS lost WHERE external_id = loser
"""

_NEXT_NAMES = f"""
UPDATE people SET attempt = attempt + 1,
  username = (SELECT {_NAME} FROM (SELECT people.attempt + 1 AS attempt) AS next)
FROM (
  SELECT external_id AS loser FROM (
    SELECT external_id,
      row_number() OVER (PARTITION BY lower(username) ORDER BY attempt, line, external_id COLLATE "C") AS place,
      EXISTS (SELECT FROM users WHERE lower(users.username) = lower(people.username)) AS is_taken
    FROM people WHERE is_new
  ) AS claims WHERE place > 1 OR is_taken
) AS lost WHERE external_id = loser
"""

_INSERT = """
INSERT INTO users (
  id, external_id, username, display_name, bio, is_verified, is_private, follower_count, following_count, graph_version,
  created_at
)
SELECT
  p.id, p.external_id, p.username, coalesce(nullif(p.display_name, ''), left(p.username, 100)), coalesce(p.bio, ''),
  p.is_verified, p.is_private, coalesce(d.followers, 0), coalesce(d.following, 0), (coalesce(d.following, 0) > 0)::int,
  timestamptz 'epoch' + p.created_ms * interval '1 millisecond'
FROM people p LEFT JOIN count_changes d ON d.user_id = p.id
WHERE p.is_new ORDER BY p.id
"""

_REPLACED = """
SELECT line, wished, username FROM people WHERE is_new AND wished IS NOT NULL AND username <> wished ORDER BY line
"""


async def resolve_people(connection: BulkConnection) -> None:
    """Fills the temporary table `people`: everyone whom the staged rows name, with id, and username if new."""
    await connection.execute(_CREATE_PEOPLE)
    await connection.execute("ANALYZE people")
    while await connection.execute(_NEXT_IDS):
        pass
    while await connection.execute(_NEXT_NAMES):
        pass


async def insert_people(connection: BulkConnection) -> int:
    """Inserts the new accounts with the counts that `count_changes` gives them; returns how many."""
    return await connection.execute(_INSERT)


async def replaced_usernames(connection: BulkConnection) -> Sequence[Any]:
    """(line, wished, username) of the new accounts that did not get the name in the file."""
    return await connection.fetch(_REPLACED)


async def count_people(connection: BulkConnection) -> tuple[int, int, int]:
    """(new accounts, accounts that were there already, new accounts without a row of their own)."""
    rows = await connection.fetch(
        "SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new), "
        "count(*) FILTER (WHERE is_new AND line IS NULL) FROM people"
    )
    return rows[0][0], rows[0][1], rows[0][2]
