"""Viewers as a page is read for them, many at once: what may have changed with every request, and what seldom does.

A *look* is short: the versions of what a process remembers, and what no cache may answer. A row's version is its `xmin`, the
transaction that wrote it: whatever changes a row changes it, by whichever way. All that a viewer's page hangs on besides posts
and authors changes the viewer's row in the same transaction (see `db.users.renew_rows`), so one version stands for all of it.
https://www.postgresql.org/docs/18/ddl-system-columns.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from sqlalchemy import text

from db.array_text import array_text
from db.database import ReadSession
from db.rows import USER_COLUMNS, USER_WIDTH, to_user
from domain.preferences import FeedPreferences
from domain.records import NO_RELATION, Relation, UserRecord
from domain.timeline_version import TimelineVersion

MAX_OPEN = 1_000
"""Open promises to deliver a post that a look names; where there are more, each viewer asks for their own."""

# Open rows are cut before anything is done with them, along their index: after hours without workers there may be millions of
# them. A post may have several.
#
# The newest own posts are read each time: one author's posts may be committed in another order than their ids say, so no
# version of the list would be cheaper than the list. Deleted ones count as any other: they are judged by their own rows.
_IDENTITY = "d.identity || '.' || (SELECT oid FROM pg_database WHERE datname = current_database())"
_LOOKS = text(
    f"""
    WITH open AS MATERIALIZED (
      SELECT o.post_id, o.author_id, o.created_at AS since FROM outbox o
      WHERE o.closed_at IS NULL AND o.kind = 'post_published' ORDER BY o.author_id, o.post_id DESC LIMIT :max_open + 1
    )
    SELECT 0 AS id, 0 AS below, d.pulled_version AS number, 0 AS position,
      ARRAY(SELECT post_id FROM open ORDER BY post_id) AS ids,
      ARRAY(SELECT author_id FROM open ORDER BY post_id) AS author_ids,
      ARRAY(SELECT since FROM open ORDER BY post_id) AS instants,
      statement_timestamp() AS as_of, pg_current_snapshot()::text AS snapshot, pg_postmaster_start_time() AS started,
      {_IDENTITY} AS identity
    FROM deployment d
    UNION ALL
    SELECT u.id, a.below, u.xmin::text::bigint, coalesce(f.position_id, 0),
      ARRAY(SELECT p.id FROM posts p WHERE p.author_id = u.id AND p.id < a.below AND NOT p.is_plain_share
            ORDER BY p.id DESC LIMIT :own_size),
      NULL, NULL, NULL, NULL, NULL, NULL
    FROM unnest(CAST(CAST(:ids AS text) AS bigint[]), CAST(CAST(:belows AS text) AS bigint[])) AS a(id, below)
    JOIN users u ON u.id = a.id LEFT JOIN feed_positions f ON f.user_id = u.id
    """
)

_FOLLOWS, _IS_FOLLOWED, _REQUESTED, _BLOCKING, _BLOCKED, _MUTING, _CLOSE, _HIDE_SHARES = (1 << bit for bit in range(8))

# The mute is loaded with its end, not with whether it has ended: that is a question for the moment of the page.
_VIEWERS = text(
    f"""
    SELECT {USER_COLUMNS}, pg_postmaster_start_time(), {_IDENTITY}, u.xmin::text::bigint, u.graph_version, u.settings,
      d.pulled_version,
      EXISTS (SELECT FROM hashtag_follows h WHERE h.user_id = u.id),
      EXISTS (SELECT FROM kept_follows k WHERE k.viewer_id = u.id), s.*
    FROM unnest(CAST(:ids AS bigint[])) AS a(id) JOIN users u ON u.id = a.id CROSS JOIN deployment d
    CROSS JOIN LATERAL (
      SELECT array_agg(x.id) AS ids, array_agg(
        {_FOLLOWS} * (rf.follower_id IS NOT NULL)::int
        + {_IS_FOLLOWED} * EXISTS (SELECT FROM follows f WHERE f.follower_id = x.id AND f.followee_id = u.id)::int
        + {_REQUESTED} * EXISTS (SELECT FROM follow_requests r WHERE r.follower_id = u.id AND r.followee_id = x.id)::int
        + {_BLOCKING} * EXISTS (SELECT FROM blocks b WHERE b.blocker_id = u.id AND b.blocked_id = x.id)::int
        + {_BLOCKED} * EXISTS (SELECT FROM blocks b WHERE b.blocker_id = x.id AND b.blocked_id = u.id)::int
        + {_MUTING} * (rm.muter_id IS NOT NULL)::int
        + {_CLOSE} * coalesce(rf.close_friend, false)::int
        + {_HIDE_SHARES} * coalesce(rf.hide_shares, false)::int) AS flags,
        array_agg(rm.until) AS muted_until, array_agg(rf.daily_limit) AS daily_limits, array_agg(rk.until_id) AS kept_until,
        array_agg(CASE WHEN rf.follower_id IS NOT NULL AND xu.has_pulled_posts THEN xu.import_version END) AS import_versions
      FROM (
        SELECT f.followee_id AS id FROM follows f WHERE f.follower_id = u.id
        UNION SELECT k.author_id FROM kept_follows k WHERE k.viewer_id = u.id
      ) AS x JOIN users xu ON xu.id = x.id
      LEFT JOIN follows rf ON rf.follower_id = u.id AND rf.followee_id = x.id
      LEFT JOIN mutes rm ON rm.muter_id = u.id AND rm.muted_id = x.id
      LEFT JOIN kept_follows rk ON rk.viewer_id = u.id AND rk.author_id = x.id
    ) AS s
    """
)


Asked = tuple[int, int]
"""(viewer, only own posts below this id)"""


OpenPost = tuple[int, datetime]
"""(id, since when it has waited)"""


@dataclass(frozen=True, slots=True)
class Moment:
    """What one statement of looks says of the database itself. All looks of the statement share it.

    `run`: when the server was started. Versions of another run say nothing: what was lost in between, by a failover or a
    restored backup, may have borne the same numbers. `open_posts`: None where there are more than MAX_OPEN.
    """

    identity: str
    run: datetime
    as_of: datetime
    snapshot: str
    pulled_version: int
    open_posts: Mapping[int, Sequence[OpenPost]] | None


class ViewerLook(NamedTuple):
    """A viewer at a moment. `own_ids`: the newest own posts below the asked id, newest first, deleted ones too."""

    moment: Moment
    viewer_id: int
    version: int
    position: int
    own_ids: Sequence[int]
    own_is_whole: bool
    """No own post lies below the last of `own_ids`."""


@dataclass(frozen=True, slots=True)
class KnownViewer:
    """What is remembered of a viewer, true for one version of their row and one `pulled_version` of the deployment.

    `sources`: whom the viewer follows, or of whom history was kept, each with the viewer's relation to them, mutes that may
    have ended included. `pulled`: of those followed who have pulled posts, what their lists must have been made from.
    """

    user: UserRecord
    run: datetime
    version: int
    graph_version: int
    pulled_version: int
    preferences: FeedPreferences
    follows_hashtags: bool
    has_kept_history: bool
    sources: Mapping[int, Relation]
    pulled: Mapping[int, TimelineVersion]
    notes: dict[str, Any] = field(default_factory=dict, compare=False)
    """What readers have made of it, good as long as it is."""


async def load_looks(session: ReadSession, asked: Sequence[Asked], *, own_size: int) -> dict[Asked, ViewerLook]:
    """Looks at viewers. Those without an account are missing. `own_size`: own posts that each look brings along, at most."""
    parameters = {
        "ids": array_text(viewer_id for viewer_id, _ in asked),
        "belows": array_text(below for _, below in asked),
        "own_size": own_size,
        "max_open": MAX_OPEN,
    }
    rows = list(await session.execute(_LOOKS, parameters))
    moment = next(_to_moment(row) for row in rows if row[0] == 0)
    return {
        (viewer_id, below): ViewerLook(moment, viewer_id, version, position, own_ids, len(own_ids) < own_size)
        for viewer_id, below, version, position, own_ids, *_ in rows
        if viewer_id != 0
    }


async def load_known_viewers(session: ReadSession, viewer_ids: Iterable[int]) -> dict[int, KnownViewer]:
    """What is worth remembering of viewers, suspended ones too, by id; those without an account are missing."""
    rows = await session.execute(_VIEWERS, {"ids": list(viewer_ids)})
    return {row[0]: _to_viewer(row) for row in rows}


def _to_moment(row: Sequence[Any]) -> Moment:
    _, _, pulled_version, _, ids, author_ids, instants, as_of, snapshot, started, identity = row
    open_posts: dict[int, list[OpenPost]] | None = {} if len(ids) <= MAX_OPEN else None
    if open_posts is not None:
        for post_id, author_id, since in zip(ids, author_ids, instants, strict=True):
            open_posts.setdefault(author_id, []).append((post_id, since))
    return Moment(identity, started, as_of, snapshot, pulled_version, open_posts)


def _to_viewer(row: Sequence[Any]) -> KnownViewer:
    run, identity, version, graph_version, settings, pulled_version, follows_hashtags, has_kept_history, *columns = row[
        USER_WIDTH:
    ]
    sources: dict[int, Relation] = {}
    pulled: dict[int, TimelineVersion] = {}
    for author_id, flags, until, limit, kept_until, import_version in zip(*(column or () for column in columns), strict=True):
        if until is None and limit is None and kept_until is None:
            sources[author_id] = _plain_relation(flags)
        else:
            sources[author_id] = _relation(flags, until, limit, kept_until)
        if import_version is not None:
            pulled[author_id] = TimelineVersion(identity, import_version)
    stored = orjson.loads(settings) if isinstance(settings, str | bytes) else settings
    return KnownViewer(
        user=to_user(row[:USER_WIDTH]),
        run=run,
        version=version,
        graph_version=graph_version,
        pulled_version=pulled_version,
        preferences=FeedPreferences.from_settings(stored),
        follows_hashtags=follows_hashtags,
        has_kept_history=has_kept_history,
        sources=sources,
        pulled=pulled,
    )


@lru_cache(maxsize=256)
def _plain_relation(flags: int) -> Relation:
    # Nearly all relations are the same few: one object each spares most of the memory.
    return _relation(flags, None, None, None) if flags else NO_RELATION


def _relation(flags: int, until: datetime | None, limit: int | None, kept_until: int | None) -> Relation:
    return Relation(
        follows=bool(flags & _FOLLOWS),
        is_followed_by=bool(flags & _IS_FOLLOWED),
        has_requested=bool(flags & _REQUESTED),
        is_blocking=bool(flags & _BLOCKING),
        is_blocked_by=bool(flags & _BLOCKED),
        is_muting=bool(flags & _MUTING),
        muted_until=until,
        close_friend=bool(flags & _CLOSE),
        hide_shares=bool(flags & _HIDE_SHARES),
        daily_limit=limit,
        kept_until=kept_until,
    )
