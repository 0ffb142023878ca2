"""Column lists and how their rows become records. One place, so that every query gives the same record for the same row.

Feed reads select columns, not ORM entities: building entities costs several times the rest of the query.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from db.counters import COMMENT_COUNT, LIKE_COUNT
from domain.ids import created_at_of
from domain.records import (
    NO_RELATION,
    Delivery,
    LocationRecord,
    PostFacts,
    PostRecord,
    Relation,
    UserRecord,
    Visibility,
)

USER_COLUMNS = """
  u.id, u.external_id, u.username, u.display_name, u.bio, u.avatar_url, u.is_verified, u.is_private,
  u.suspended_at IS NOT NULL, u.shadow_banned_at IS NOT NULL, u.created_at,
  u.follower_count, u.following_count, u.post_count, u.avatar_key
"""
USER_WIDTH = 15

# Likes and comments that are on their way to the post's row count as well, in the same snapshot.
POST_COLUMNS = f"""
  p.id, p.author_id, p.text, p.entities, p.visibility, p.location_name, p.latitude, p.longitude,
  p.edited_at, p.deleted_at IS NOT NULL, {LIKE_COUNT}, {COMMENT_COUNT}, p.share_count, p.delivery,
  p.shared_post_id, p.is_plain_share
"""
POST_WIDTH = 16

# The viewer's relation to the account `u`: columns, and the joins that they need. All joined keys are primary: no row doubles.
RELATION_COLUMNS = """
  rf.follower_id IS NOT NULL,
  EXISTS (SELECT FROM follows f WHERE f.follower_id = u.id AND f.followee_id = :viewer_id),
  EXISTS (SELECT FROM follow_requests r WHERE r.follower_id = :viewer_id AND r.followee_id = u.id),
  EXISTS (SELECT FROM blocks b WHERE b.blocker_id = :viewer_id AND b.blocked_id = u.id),
  EXISTS (SELECT FROM blocks b WHERE b.blocker_id = u.id AND b.blocked_id = :viewer_id),
  rm.muter_id IS NOT NULL, rm.until,
  coalesce(rf.close_friend, false), coalesce(rf.hide_shares, false), rf.daily_limit, rk.until_id
"""
RELATION_JOINS = """
  LEFT JOIN follows rf ON rf.follower_id = :viewer_id AND rf.followee_id = u.id
  LEFT JOIN mutes rm ON rm.muter_id = :viewer_id AND rm.muted_id = u.id
    AND (rm.until IS NULL OR rm.until > statement_timestamp())
  LEFT JOIN kept_follows rk ON rk.viewer_id = :viewer_id AND rk.author_id = u.id
"""

_VISIBILITIES = {visibility.value: visibility for visibility in Visibility}
_DELIVERIES: dict[str | None, Delivery | None] = {None: None, **{delivery.value: delivery for delivery in Delivery}}


def to_user(row: Sequence[Any]) -> UserRecord:
    """A row of USER_COLUMNS."""
    return UserRecord(*row)


def to_post(row: Sequence[Any]) -> PostRecord:
    """A row of POST_COLUMNS."""
    (
        post_id,
        author_id,
        body,
        entities,
        visibility,
        place,
        latitude,
        longitude,
        edited_at,
        is_deleted,
        likes,
        comments,
        shares,
        delivery,
        shared_post_id,
        is_plain_share,
    ) = row
    return PostRecord(
        id=post_id,
        author_id=author_id,
        text=body,
        entity_rows=orjson.loads(entities) if isinstance(entities, str | bytes) else entities,
        location=LocationRecord(place, latitude, longitude) if place is not None else None,
        visibility=_VISIBILITIES[visibility],
        created_at=created_at_of(post_id),
        edited_at=edited_at,
        is_deleted=is_deleted,
        like_count=likes,
        comment_count=comments,
        share_count=shares,
        delivery=_DELIVERIES[delivery],
        shared_post_id=shared_post_id,
        is_plain_share=is_plain_share,
    )


def to_relation(row: Sequence[Any]) -> Relation:
    """A row of RELATION_COLUMNS."""
    return Relation(*row)


def to_post_facts(row: Sequence[Any]) -> PostFacts:
    """A row of POST_COLUMNS, USER_COLUMNS, RELATION_COLUMNS."""
    end = POST_WIDTH + USER_WIDTH
    return PostFacts(to_post(row[:POST_WIDTH]), to_user(row[POST_WIDTH:end]), to_relation(row[end:]))


def to_post_facts_for_many(row: Sequence[Any]) -> PostFacts:
    """A row of POST_COLUMNS, USER_COLUMNS: there is no viewer."""
    return PostFacts(to_post(row[:POST_WIDTH]), to_user(row[POST_WIDTH:]), NO_RELATION)
