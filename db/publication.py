"""A new post with all that belongs to its publication, in one statement: one round trip, one transaction. It waits for whom
it must lock; posts that come together share another statement, which does not (`db.publication_of_many`).

Order of locks, as everywhere: the author's account, then hashtags by id. Each part takes its row from the one before it, which
is what makes the order.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import TextClause, text

from db.activities import INSERT_SQL
from db.database import WriteSession
from db.outbox import OutboxKind
from domain.activities import ActivityKind
from domain.ids import SHARD_MASK, TIME_SHIFT, created_at_of
from domain.records import LocationRecord, PostRecord, Visibility

# The id is made first, so that created_at is exactly its milliseconds.
_POST = f"""
    post AS (
      INSERT INTO posts (id, author_id, text, entities, visibility, location_name, latitude, longitude, created_at)
      SELECT made.id, :author_id, :text, CAST(:entities AS jsonb), :visibility, :place, :latitude, :longitude,
             to_timestamp((made.id >> {TIME_SHIFT}) / 1000.0)
      FROM (SELECT next_id(CAST(:shard AS bigint)) AS id OFFSET 0) AS made {{where}}
      RETURNING id
    ),
    promised AS (
      INSERT INTO outbox (kind, author_id, post_id) SELECT '{OutboxKind.POST_PUBLISHED.value}', :author_id, id FROM post
    )
"""
_ACTIVITY = f"SELECT '{ActivityKind.POST.value}', :author_id, id FROM post"
_NOTED = f"noted AS ({INSERT_SQL.format(source=_ACTIVITY)})"
_COUNTED = """
    counted AS (UPDATE users u SET post_count = u.post_count + 1 FROM post WHERE u.id = :author_id RETURNING u.id)
"""
# A name that is not there yet, or is being made by somebody else at this moment, is nothing for one statement.
_KNOWN = "known AS MATERIALIZED (SELECT id FROM hashtags WHERE name = ANY(CAST(:hashtags AS text[])))"
_ALL_KNOWN = "WHERE (SELECT count(*) FROM known) = cardinality(CAST(:hashtags AS text[]))"
_LINKED = "linked AS (INSERT INTO post_hashtags (hashtag_id, post_id) SELECT known.id, post.id FROM known CROSS JOIN post)"
_TAGS_COUNTED = """
    tags_counted AS (
      UPDATE hashtags h SET post_count = h.post_count + 1 FROM (
        SELECT id FROM hashtags WHERE id IN (SELECT id FROM known) AND EXISTS (SELECT FROM counted)
        ORDER BY id FOR NO KEY UPDATE
      ) AS locked WHERE h.id = locked.id
    )
"""


async def insert_published_post(
    session: WriteSession,
    *,
    author_id: int,
    body: str,
    entities: list[dict[str, Any]],
    hashtags: Collection[str],
    visibility: Visibility,
    location: LocationRecord | None,
) -> PostRecord | None:
    """The post, its hashtags, the counts, the promise to deliver it, and what notifications want to know.

    `hashtags`: the names in `entities`. None where one of them does not exist yet: then nothing has been written.
    """
    parameters = {
        "author_id": author_id,
        "shard": author_id & SHARD_MASK,
        "text": body,
        "entities": orjson.dumps(entities).decode(),
        "visibility": visibility.value,
        "place": location.name if location else None,
        "latitude": location.latitude if location else None,
        "longitude": location.longitude if location else None,
        "hashtags": list(hashtags),
    }
    post_id = (await session.execute(_statement(visibility, has_hashtags=bool(hashtags)), parameters)).scalar()
    if post_id is None:
        return None
    return new_record(post_id, author_id=author_id, body=body, entities=entities, visibility=visibility, location=location)


def new_record(
    post_id: int,
    *,
    author_id: int,
    body: str,
    entities: list[dict[str, Any]],
    visibility: Visibility,
    location: LocationRecord | None,
) -> PostRecord:
    """A post as it is in the moment of its publication."""
    return PostRecord(
        id=post_id,
        author_id=author_id,
        text=body,
        entity_rows=entities,
        visibility=visibility,
        location=location,
        created_at=created_at_of(post_id),
        edited_at=None,
        is_deleted=False,
        like_count=0,
        comment_count=0,
        share_count=0,
        delivery=None,
        shared_post_id=None,
        is_plain_share=False,
    )


@lru_cache
def _statement(visibility: Visibility, *, has_hashtags: bool) -> TextClause:
    parts = [_KNOWN] if has_hashtags else []
    parts.append(_POST.format(where=_ALL_KNOWN if has_hashtags else ""))
    if visibility is not Visibility.PRIVATE:
        parts.append(_NOTED)
    if visibility is Visibility.PUBLIC:
        parts.append(_COUNTED)
    if has_hashtags:
        parts.append(_LINKED)
        if visibility is Visibility.PUBLIC:
            parts.append(_TAGS_COUNTED)
    return text(f"WITH {', '.join(parts)} SELECT id FROM post")
