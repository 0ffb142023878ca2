"""Which of the staged reposts become shares without words, and of what; the others leave the staging.

Decided before posts are numbered, from the staged rows and the database alone: an import that was interrupted decides the same
when it goes on. The row of an id that comes first counts, here as everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from db.bulk import BulkConnection

_MAX_ROUNDS = 40
"""Each doubles how far a chain of reposts of reposts is followed: what is unfinished then runs in circles."""

_CREATE_FIRST = """
CREATE TEMP TABLE first_rows AS
SELECT DISTINCT ON (source_id) number, source_id, order_key, created_us, author, visibility, repost_of
FROM staged_posts ORDER BY source_id, number
"""

_CREATE_REPOSTS = """
CREATE TEMP TABLE reposts AS
SELECT number, source_id, order_key, created_us, author, repost_of AS target FROM first_rows WHERE repost_of IS NOT NULL
"""

# What the database has needs no chain: it says itself what it shares.
_FOLLOW_CHAINS = """
UPDATE reposts r SET target = further.target FROM reposts further
WHERE further.source_id = r.target AND further.target <> r.target
  AND NOT EXISTS (SELECT FROM posts p WHERE p.source_id = r.target)
"""

_CREATE_FATES = """
CREATE TEMP TABLE fates AS
WITH accounts AS (
  SELECT DISTINCT ON (external_id) external_id, is_private FROM staged_accounts ORDER BY external_id, line
), found AS (
  SELECT r.*, root.id AS root_id, staged.source_id AS root_source,
    coalesce(root.id::text, 'staged ' || staged.source_id) AS root_key,
    root.visibility IS DISTINCT FROM 'PUBLIC' AND staged.visibility IS DISTINCT FROM 'PUBLIC'
      OR coalesce(root_owner.is_private, staged_owner.is_private, accounts.is_private, false) AS is_hidden,
    EXISTS (SELECT FROM posts p WHERE p.source_id = r.source_id) AS is_there,
    EXISTS (
      SELECT FROM posts p
      WHERE p.shared_post_id = root.id AND p.author_id = sharer.id AND p.is_plain_share AND p.deleted_at IS NULL
    ) AS has_shared
  FROM reposts r
  LEFT JOIN posts known ON known.source_id = r.target
  LEFT JOIN posts root ON root.id = CASE WHEN known.is_plain_share THEN known.shared_post_id ELSE known.id END
    AND root.deleted_at IS NULL
  LEFT JOIN first_rows staged ON staged.source_id = r.target AND staged.repost_of IS NULL AND known.id IS NULL
  LEFT JOIN users root_owner ON root_owner.id = root.author_id
  LEFT JOIN users staged_owner ON staged_owner.external_id = staged.author
  LEFT JOIN users sharer ON sharer.external_id = r.author
  LEFT JOIN accounts ON accounts.external_id = staged.author
)
SELECT number, source_id, root_id, root_source,
  CASE
    WHEN is_there THEN 'there'
    WHEN root_key IS NULL THEN 'absent'
    WHEN is_hidden THEN 'not_public'
    WHEN has_shared THEN 'repeated'
    WHEN row_number() OVER (
      PARTITION BY root_key, author ORDER BY is_there DESC, created_us, order_key, source_id COLLATE "C"
    ) > 1 THEN 'repeated'
    ELSE 'shared'
  END AS fate
FROM found
"""

_COUNT_FATES = "SELECT fate, count(*) FROM fates GROUP BY fate"

_LEAVE_OUT = """
DELETE FROM staged_posts s USING fates f WHERE f.source_id = s.source_id AND f.fate NOT IN ('there', 'shared')
"""


@dataclass(frozen=True, slots=True)
class ChosenShares:
    """How many reposts met which fate; see `summary.RepostsLeftOut`."""

    shared: int = 0
    there: int = 0
    absent: int = 0
    repeated: int = 0
    not_public: int = 0

    @property
    def total(self) -> int:
        return self.shared + self.there + self.absent + self.repeated + self.not_public


async def choose_shares(connection: BulkConnection) -> ChosenShares:
    """Leaves the temporary table `fates`, and of the reposts in staging those that are shares, new or there already."""
    await connection.execute(_CREATE_FIRST)
    await connection.execute("CREATE UNIQUE INDEX ON first_rows (source_id)")
    await connection.execute(_CREATE_REPOSTS)
    await connection.execute("CREATE UNIQUE INDEX ON reposts (source_id)")
    for table in ("first_rows", "reposts"):
        await connection.execute(f"ANALYZE {table}")
    for _ in range(_MAX_ROUNDS):
        if not await connection.execute(_FOLLOW_CHAINS):
            break
    await connection.execute(_CREATE_FATES)
    await connection.execute("CREATE UNIQUE INDEX ON fates (number)")
    await connection.execute("ANALYZE fates")
    chosen = ChosenShares(**dict(await connection.fetch(_COUNT_FATES)))
    await connection.execute(_LEAVE_OUT)
    return chosen
