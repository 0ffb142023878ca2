"""Posts: writing them, and loading them together with all that the visibility rule needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import TextClause, text

from db.audiences import AUDIENCE_COLUMNS
from db.counters import COMMENT_COUNT, LIKE_COUNT
from db.database import ReadSession, WriteSession
from db.rows import (
    POST_COLUMNS,
    RELATION_COLUMNS,
    RELATION_JOINS,
    USER_COLUMNS,
    to_post,
    to_post_facts,
    to_post_facts_for_many,
)
from domain import subjects
from domain.audience import Audience
from domain.ids import SHARD_MASK, TIME_SHIFT
from domain.records import Delivery, LocationRecord, PostCounts, PostFacts, PostRecord, Visibility

# The id is made first, so that created_at is exactly its milliseconds.
_INSERT = text(
    f"""
    INSERT INTO posts AS p
      (id, author_id, text, entities, visibility, location_name, latitude, longitude, created_at)
    SELECT made.id, :author_id, :text, CAST(:entities AS jsonb), :visibility, :place, :latitude, :longitude,
           to_timestamp((made.id >> {TIME_SHIFT}) / 1000.0)
    FROM (SELECT next_id(CAST(:shard AS bigint)) AS id OFFSET 0) AS made
    RETURNING {POST_COLUMNS}
    """
)
_LOCK_OWN = text(
    f"SELECT {POST_COLUMNS} FROM posts p WHERE p.id = :post_id AND p.author_id = :author_id AND p.deleted_at IS NULL FOR UPDATE"
)
_UPDATE = text(
    f"""
    UPDATE posts AS p SET text = :text, entities = CAST(:entities AS jsonb), visibility = :visibility,
      edited_at = CASE WHEN CAST(:text_changed AS boolean) THEN clock_timestamp() ELSE edited_at END
    WHERE p.id = :post_id RETURNING {POST_COLUMNS}
    """
)
_DELETE = text(
    "UPDATE posts SET deleted_at = clock_timestamp() WHERE id = :post_id RETURNING author_id, shared_post_id, is_plain_share"
)
_COUNT = text("UPDATE users SET post_count = post_count + :by WHERE id = :author_id")
_HYDRATE = text(
    f"""
    SELECT {POST_COLUMNS}, {USER_COLUMNS}, {RELATION_COLUMNS}
    FROM posts p JOIN users u ON u.id = p.author_id {RELATION_JOINS}
    WHERE p.id = ANY(CAST(:ids AS bigint[]))
    """
)
_HYDRATE_FOR_MANY = text(
    f"""
    SELECT {POST_COLUMNS}, {USER_COLUMNS}
    FROM posts p JOIN users u ON u.id = p.author_id
    WHERE p.id = ANY(CAST(:ids AS bigint[]))
    """
)
_COUNTS = text(
    f"""
    SELECT p.id, {LIKE_COUNT}, {COMMENT_COUNT}, p.share_count FROM posts p
    WHERE p.id = ANY(CAST(:ids AS bigint[])) AND p.deleted_at IS NULL
    """
)
_BY_AUTHOR = text(
    f"""
    SELECT {POST_COLUMNS}, {USER_COLUMNS}, {RELATION_COLUMNS}
    FROM posts p JOIN users u ON u.id = p.author_id {RELATION_JOINS}
    WHERE p.author_id = :author_id AND p.deleted_at IS NULL AND p.id < :below_id
    ORDER BY p.id DESC LIMIT :size
    """
)
_DECIDE = text(
    """
    UPDATE posts SET delivery = :delivery WHERE id = :post_id AND delivery IS NULL RETURNING delivery
    """
)
# The version grows in the same transaction: whoever sees the first pulled post of an author also sees that the sets of pulled
# authors have changed.
_MARK_PULLED = text(
    """
    WITH marked AS (UPDATE users SET has_pulled_posts = true WHERE id = :author_id AND NOT has_pulled_posts RETURNING 1)
    UPDATE deployment SET pulled_version = pulled_version + 1 WHERE EXISTS (SELECT FROM marked)
    """
)
# The version of the audience is as new as the delivery beside it: see services/fan_out/audiences.py.
_FAN_OUT_FACTS = text(
    f"""
    SELECT p.author_id, p.delivery, p.visibility, p.deleted_at IS NOT NULL, p.share_count > 0,
      EXISTS (SELECT FROM post_hashtags t WHERE t.post_id = p.id), u.audience_version, {AUDIENCE_COLUMNS}
    FROM posts p JOIN users u ON u.id = p.author_id WHERE p.id = :post_id
    """
)


async def insert_post(
    session: WriteSession,
    *,
    author_id: int,
    body: str,
    entities: list[dict[str, Any]],
    visibility: Visibility,
    location: LocationRecord | None,
) -> PostRecord:
    """A new post with an id of this very millisecond."""
    rows = await session.execute(
        _INSERT,
        {
            "author_id": author_id,
            "shard": author_id & SHARD_MASK,
            "text": body,
            "entities": orjson.dumps(entities).decode(),
            "visibility": visibility.value,
            "place": location.name if location else None,
            "latitude": location.latitude if location else None,
            "longitude": location.longitude if location else None,
        },
    )
    return to_post(rows.one())


async def lock_own_post(session: WriteSession, post_id: int, *, author_id: int) -> PostRecord | None:
    """The post, locked until the transaction ends; None unless it is the author's own and not deleted."""
    row = (await session.execute(_LOCK_OWN, {"post_id": post_id, "author_id": author_id})).first()
    return to_post(row) if row is not None else None


async def update_post(
    session: WriteSession,
    post_id: int,
    *,
    body: str,
    entities: list[dict[str, Any]],
    visibility: Visibility,
    text_changed: bool,
) -> PostRecord:
    """Writes the new state; `edited_at` moves only where the text changed."""
    session.touch(subjects.post(post_id))
    rows = await session.execute(
        _UPDATE,
        {
            "post_id": post_id,
            "text": body,
            "entities": orjson.dumps(entities).decode(),
            "visibility": visibility.value,
            "text_changed": text_changed,
        },
    )
    return to_post(rows.one())


async def mark_post_deleted(session: WriteSession, post_id: int) -> None:
    """The row stays, so that its id is never given out again."""
    session.touch(subjects.post(post_id))
    author_id, shared_post_id, is_plain_share = (await session.execute(_DELETE, {"post_id": post_id})).one()
    if is_plain_share:
        session.touch(subjects.share(author_id, shared_post_id))


async def add_to_post_count(session: WriteSession, author_id: int, by: int) -> None:
    """Keeps `post_count`: existing public posts."""
    await session.execute(_COUNT, {"author_id": author_id, "by": by})


async def load_posts(session: ReadSession, post_ids: Iterable[int], *, viewer_id: int | None) -> dict[int, PostFacts]:
    """Posts with their authors and the viewer's relation to them, by id; nothing is filtered yet.

    One statement; a second one where there are shares without words, for what they share.
    """
    return await _load(session, _HYDRATE, to_post_facts, post_ids, {"viewer_id": viewer_id or 0})


async def load_posts_for_many(session: ReadSession, post_ids: Iterable[int]) -> dict[int, PostFacts]:
    """The same without a viewer: relations are loaded apart, for many viewers at once."""
    return await _load(session, _HYDRATE_FOR_MANY, to_post_facts_for_many, post_ids, {})


async def load_counts(session: ReadSession, post_ids: Iterable[int]) -> dict[int, PostCounts]:
    """What is counted about those of the posts that exist, by id."""
    return {row[0]: PostCounts(*row) for row in await session.execute(_COUNTS, {"ids": list(post_ids)})}


async def load_posts_by_author(
    session: ReadSession, author_id: int, *, viewer_id: int | None, below_id: int, size: int
) -> list[PostFacts]:
    """An account's posts and shares, newest first, below an id. Nothing is filtered yet."""
    parameters = {"author_id": author_id, "viewer_id": viewer_id or 0, "below_id": below_id, "size": size}
    found = {row[0]: to_post_facts(row) for row in await session.execute(_BY_AUTHOR, parameters)}
    return list((await _with_roots(session, _HYDRATE, to_post_facts, found, {"viewer_id": viewer_id or 0})).values())


async def _load(
    session: ReadSession,
    statement: TextClause,
    to_facts: Callable[[Sequence[Any]], PostFacts],
    post_ids: Iterable[int],
    parameters: dict[str, object],
) -> dict[int, PostFacts]:
    rows = await session.execute(statement, {"ids": list(post_ids), **parameters})
    return await _with_roots(session, statement, to_facts, {row[0]: to_facts(row) for row in rows}, parameters)


async def _with_roots(
    session: ReadSession,
    statement: TextClause,
    to_facts: Callable[[Sequence[Any]], PostFacts],
    found: dict[int, PostFacts],
    parameters: dict[str, object],
) -> dict[int, PostFacts]:
    """The same, but with what the shares without words among them share."""
    wanted = {facts.post.root_id for facts in found.values() if facts.post.is_plain_share}
    if not wanted:
        return found
    roots = {root_id: found[root_id] for root_id in wanted if root_id in found}
    missing = list(wanted - roots.keys())
    if missing:
        roots |= {row[0]: to_facts(row) for row in await session.execute(statement, {"ids": missing, **parameters})}
    return {
        post_id: replace(facts, root=roots.get(facts.post.root_id)) if facts.post.is_plain_share else facts
        for post_id, facts in found.items()
    }


@dataclass(frozen=True, slots=True)
class FanOutFacts:
    """A post as a worker needs it. `audience_version`: of the author, read in one snapshot with `delivery`.

    `is_shared`: there are shares or quotes of it.
    """

    author_id: int
    delivery: Delivery | None
    visibility: Visibility
    is_deleted: bool
    is_shared: bool
    has_hashtags: bool
    audience_version: int
    audience: Audience


async def load_fan_out_facts(session: ReadSession, post_id: int, *, writes_per_second: float) -> FanOutFacts | None:
    """None where the post does not exist. `writes_per_second`: the workers' capacity, beyond which nothing is counted."""
    parameters = {"post_id": post_id, "writes_per_second": writes_per_second}
    row = (await session.execute(_FAN_OUT_FACTS, parameters)).first()
    if row is None:
        return None
    author_id, delivery, visibility, is_deleted, is_shared, has_hashtags, version, *audience = row
    return FanOutFacts(
        author_id=author_id,
        delivery=Delivery(delivery) if delivery else None,
        visibility=Visibility(visibility),
        is_deleted=is_deleted,
        is_shared=is_shared,
        has_hashtags=has_hashtags,
        audience_version=version,
        audience=Audience(*audience),
    )


async def decide_delivery(session: WriteSession, post_id: int, *, author_id: int, delivery: Delivery) -> bool:
    """Stores the choice, once: False where another worker was first (read again which it was)."""
    row = (await session.execute(_DECIDE, {"post_id": post_id, "delivery": delivery.value})).first()
    if row is not None and delivery is Delivery.PULL:
        await session.execute(_MARK_PULLED, {"author_id": author_id})
    return row is not None
