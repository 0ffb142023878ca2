"""Posts: numbered within their millisecond, given ids, written with entities, counted, announced by graph versions.

Ids come from the file alone (milliseconds, order within them, the author's shard), so an import that was interrupted at
any point goes on with the ids that it would have given anyway. Where other posts stand in the same millisecond already,
the next free sequence numbers are taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from db.bulk import BulkConnection
from domain.audience import Audience, AudienceRule, choose_delivery
from domain.ids import created_at_of
from domain.text import find_entities
from services.importing import announce_posts, tell_viewers
from services.importing.write_hashtags import begin_hashtags, note_hashtags, write_hashtags
from services.posts.text_entities import entity_rows, hashtag_names, mentioned_names

POSTS_PER_TRANSACTION = 100_000
_POSTS_PER_COPY = 5_000

_CREATE_FRESH = """
CREATE TEMP TABLE fresh_posts AS
SELECT number, ms,
  row_number() OVER (PARTITION BY ms ORDER BY created_us, order_key, source_id COLLATE "C") - 1 AS sequence
FROM (
  SELECT DISTINCT ON (source_id) number, source_id, order_key, created_us, created_us / 1000 AS ms
  FROM staged_posts ORDER BY source_id, number
) AS first
WHERE NOT EXISTS (SELECT FROM posts WHERE posts.source_id = first.source_id)
"""

_TAKE_FREE_SEQUENCES = """
WITH taken AS (
  SELECT ms, (id >> 10) & 4095 AS sequence FROM (SELECT DISTINCT ms FROM fresh_posts) AS instants
  CROSS JOIN LATERAL (SELECT id FROM posts WHERE id >= ms << 22 AND id < (ms + 1) << 22) AS there
), free AS (
  SELECT ms, candidate, row_number() OVER (PARTITION BY ms ORDER BY candidate) - 1 AS place
  FROM (SELECT DISTINCT ms FROM taken) AS instants CROSS JOIN generate_series(0, 4095) AS candidate
  WHERE NOT EXISTS (SELECT FROM taken t WHERE t.ms = instants.ms AND t.sequence = candidate)
), wanted AS (
  SELECT f.number, coalesce(free.candidate, 4096) AS sequence
  FROM fresh_posts f LEFT JOIN free ON free.ms = f.ms AND free.place = f.sequence
  WHERE f.ms IN (SELECT ms FROM taken)
)
UPDATE fresh_posts f SET sequence = wanted.sequence FROM wanted WHERE wanted.number = f.number
"""

_TAKE_OVERFLOW = """
WITH excess AS (DELETE FROM fresh_posts WHERE sequence > 4095 RETURNING number)
SELECT file, line, repost_of IS NOT NULL FROM staged_posts JOIN excess USING (number) ORDER BY number
"""

_CREATE_NEW = """
CREATE TEMP TABLE new_posts ON COMMIT PRESERVE ROWS AS
SELECT row_number() OVER (ORDER BY id) AS place, * FROM (
  SELECT (ms << 22) | (sequence << 10) | (people.id & 1023) AS id, people.id AS author_id, number
  FROM fresh_posts JOIN staged_posts USING (number) JOIN people ON people.external_id = staged_posts.author
  WHERE repost_of IS NULL
) AS numbered
"""

_FETCH = """
SELECT n.id, n.author_id, s.source_id, s.text, s.media, s.visibility, s.location_name, s.score, u.follower_count
FROM new_posts n JOIN staged_posts s USING (number) JOIN users u ON u.id = n.author_id
WHERE n.place BETWEEN $1 AND $2 ORDER BY n.place
"""

_FIND_NAMES = "SELECT lower(username), id FROM users WHERE lower(username) = ANY($1::text[])"

_COLUMNS = (
    "id",
    "author_id",
    "source_id",
    "text",
    "media_links",
    "visibility",
    "location_name",
    "engagement_score",
    "imported_engagement",
    "delivery",
    "entities",
    "created_at",
)

_CREATE_WRITTEN = """
CREATE TEMP TABLE written_posts ON COMMIT DROP AS SELECT id FROM new_posts WHERE place BETWEEN $1 AND $2
"""


async def number_posts(connection: BulkConnection) -> Sequence[Any]:
    """Finds the staged posts that are new and gives each its place within its millisecond.

    Returns (file, line, is a repost) of those for which the millisecond has no place left; they are not imported.
    """
    await connection.execute(_CREATE_FRESH)
    await connection.execute("ANALYZE fresh_posts")
    await connection.execute(_TAKE_FREE_SEQUENCES)
    return await connection.fetch(_TAKE_OVERFLOW)


async def prepare_posts(connection: BulkConnection) -> int:
    """Makes the temporary table `new_posts`, in the order of ids, without reposts; returns the number of its rows."""
    await connection.execute(_CREATE_NEW)
    await connection.execute("CREATE UNIQUE INDEX ON new_posts (place)")
    posts: int = await connection.fetch_value("SELECT count(*) FROM new_posts")
    await connection.execute("ANALYZE new_posts")
    return posts


async def insert_posts(connection: BulkConnection, first: int, last: int, *, celebrity_threshold: int) -> None:
    """Inserts the new posts at the places `first` to `last`, in one transaction with all that tells of them."""
    await announce_posts.begin(connection)
    async with connection.transaction():
        await connection.execute(_CREATE_WRITTEN, first, last)
        await begin_hashtags(connection)
        for begin in range(first, last + 1, _POSTS_PER_COPY):
            end = min(begin + _POSTS_PER_COPY - 1, last)
            await _copy_posts(connection, await connection.fetch(_FETCH, begin, end), AudienceRule(celebrity_threshold))
        await announce_posts.announce(connection)
        await write_hashtags(connection)
        await tell_viewers.tell_of_posts(connection)
    await announce_posts.announce_to_late_followers(connection)


async def _copy_posts(connection: BulkConnection, posts: Sequence[Any], rule: AudienceRule) -> None:
    # The followers alone decide: an import writes to no timeline, so it takes nothing of the workers' capacity.
    spans = [find_entities(post["text"]) for post in posts]
    names = set[str]().union(*map(mentioned_names, spans))
    ids = {row[0]: row[1] for row in await connection.fetch(_FIND_NAMES, list(names))} if names else {}
    rows = [entity_rows(found, ids) for found in spans]
    await note_hashtags(
        connection,
        ((post["id"], name) for post, found in zip(posts, rows, strict=True) for name in hashtag_names(found)),
    )
    await connection.copy(
        "posts",
        _COLUMNS,
        (
            (
                post["id"],
                post["author_id"],
                post["source_id"],
                post["text"],
                post["media"],
                post["visibility"],
                post["location_name"],
                post["score"],
                post["score"],
                choose_delivery(Audience(post["follower_count"]), rule).value,
                orjson.dumps(found).decode(),
                created_at_of(post["id"]),
            )
            for post, found in zip(posts, rows, strict=True)
        ),
    )
