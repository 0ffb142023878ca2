"""New posts of several authors with all that belongs to their publication, in one statement: one round trip, one transaction.

It waits for nobody. What is locked are the authors' accounts by id, then the hashtags by id, as everywhere, and whoever is held
by somebody else is passed over: a post that needs them is left out, and so is one that names a hashtag for the first time.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import TextClause, text

from db.activities import INSERT_SQL
from db.database import WriteSession
from db.outbox import OutboxKind
from domain.activities import ActivityKind
from domain.ids import SHARD_MASK, TIME_SHIFT
from domain.records import LocationRecord, Visibility

# As JSON: arrays are written element by element by the driver, and their lengths make PostgreSQL plan anew again and again.
_GIVEN = """
    given AS MATERIALIZED (
      SELECT * FROM ROWS FROM (
        json_to_recordset(CAST(:posts AS json)) AS (
          a bigint, t text, e jsonb, v text, place text, latitude double precision, longitude double precision
        )
      ) WITH ORDINALITY AS given (author_id, text, entities, visibility, place, latitude, longitude, number)
    ),
    authors AS MATERIALIZED (
      SELECT id FROM users WHERE id IN (SELECT author_id FROM given) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    )
"""
_TAGS = """
    named AS MATERIALIZED (
      SELECT number, name FROM json_to_recordset(CAST(:named AS json)) AS one (number bigint, name text)
    ),
    tags AS MATERIALIZED (
      SELECT id, name FROM hashtags WHERE name IN (SELECT name FROM named) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    )
"""
_ALL_TAGS = """
    WHERE given.number NOT IN (SELECT n.number FROM named n WHERE NOT EXISTS (SELECT FROM tags WHERE tags.name = n.name))
"""
# The ids are made first, so that created_at is exactly their milliseconds, and sorted: the sequence begins anew now and then,
# and the posts shall keep the order in which they came. The shard, in the lowest bits, changes nothing about it.
_POSTS = f"""
    admitted AS MATERIALIZED (
      SELECT given.*, row_number() OVER (ORDER BY given.number) AS turn
      FROM given JOIN authors ON authors.id = given.author_id {{where}}
    ),
    ids AS MATERIALIZED (
      SELECT id, turn FROM unnest(ARRAY(SELECT next_id(0) FROM admitted ORDER BY 1)) WITH ORDINALITY AS made (id, turn)
    ),
    made AS MATERIALIZED (
      SELECT ids.id | (admitted.author_id & {SHARD_MASK}) AS id, admitted.* FROM admitted JOIN ids USING (turn)
    ),
    posted AS (
      INSERT INTO posts (id, author_id, text, entities, visibility, location_name, latitude, longitude, created_at)
      SELECT id, author_id, text, entities, visibility, place, latitude, longitude,
             to_timestamp((id >> {TIME_SHIFT}) / 1000.0)
      FROM made ORDER BY id
      RETURNING id, author_id, visibility
    ),
    promised AS (
      INSERT INTO outbox (kind, author_id, post_id) SELECT '{OutboxKind.POST_PUBLISHED.value}', author_id, id FROM posted
    )
"""
_ACTIVITIES = f"SELECT '{ActivityKind.POST.value}', author_id, id FROM posted WHERE visibility <> '{Visibility.PRIVATE.value}'"
_NOTED = f"noted AS ({INSERT_SQL.format(source=_ACTIVITIES)})"
_COUNTED = f"""
    counted AS (
      UPDATE users u SET post_count = u.post_count + new.posts FROM (
        SELECT author_id, count(*) AS posts FROM posted WHERE visibility = '{Visibility.PUBLIC.value}' GROUP BY author_id
      ) AS new WHERE u.id = new.author_id
    )
"""
_TAGGED = f"""
    tagged AS MATERIALIZED (
      SELECT tags.id AS hashtag_id, made.id AS post_id, made.visibility
      FROM made JOIN named USING (number) JOIN tags USING (name)
    ),
    linked AS (INSERT INTO post_hashtags (hashtag_id, post_id) SELECT hashtag_id, post_id FROM tagged),
    tags_counted AS (
      UPDATE hashtags h SET post_count = h.post_count + new.posts FROM (
        SELECT hashtag_id, count(*) AS posts FROM tagged WHERE visibility = '{Visibility.PUBLIC.value}' GROUP BY hashtag_id
      ) AS new WHERE h.id = new.hashtag_id
    )
"""


def to_row(
    *,
    author_id: int,
    body: str,
    entities: list[dict[str, Any]],
    visibility: Visibility,
    location: LocationRecord | None,
) -> bytes:
    """A new post as the statement takes it."""
    row: dict[str, Any] = {"a": author_id, "t": body, "e": entities, "v": visibility.value}
    if location is not None:
        row |= {"place": location.name, "latitude": location.latitude, "longitude": location.longitude}
    return orjson.dumps(row)


async def insert_published_posts(session: WriteSession, given: Sequence[tuple[bytes, Collection[str]]]) -> dict[int, int]:
    """Writes posts, each given as `to_row` makes it and with the hashtags that it names.

    Their ids by their places, ascending with them; of those that are missing nothing has been written. All are written or none:
    where this raises what PostgreSQL says about one of them, none is.
    """
    named = [{"number": number, "name": name} for number, (_, names) in enumerate(given, 1) for name in names]
    parameters = {"posts": (b"[%b]" % b",".join([row for row, _ in given])).decode()}
    if named:
        parameters["named"] = orjson.dumps(named).decode()
    found = await session.execute(_statement(has_hashtags=bool(named)), parameters)
    return {number - 1: post_id for number, post_id in found}


@lru_cache
def _statement(*, has_hashtags: bool) -> TextClause:
    parts = [_GIVEN, *([_TAGS] if has_hashtags else []), _POSTS.format(where=_ALL_TAGS if has_hashtags else "")]
    parts += [_NOTED, _COUNTED, *([_TAGGED] if has_hashtags else [])]
    return text(f"WITH {', '.join(parts)} SELECT number, id FROM made")
