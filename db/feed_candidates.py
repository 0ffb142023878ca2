"""Where the entries of a home feed come from, as ids: no post body, no filter but what is cheap and certain.

Every statement takes an open interval of ids (`above`, `below`) and a size, and gives the newest or, `ascending`, the oldest of
it: merging the tops of several sources gives the top of their union. The followees' posts are found by one short index scan for
each (LATERAL with LIMIT), which costs a sixth of the plain join.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import TextClause, text

from db.database import ReadSession
from domain.ids import MAX_ID
from domain.preferences import FeedPreferences
from domain.timeline_version import TimelineVersion

_IN_RANGE = "id > :above AND id < :below ORDER BY id {direction} LIMIT :size"

# The viewer's own shares without words are no reasons: they would only repeat what the viewer has just read.
_OWN = "SELECT id FROM posts WHERE author_id = :viewer_id AND deleted_at IS NULL AND NOT is_plain_share AND " + _IN_RANGE

_PULLED = (
    """
    SELECT p.id FROM {sources} s JOIN users u ON u.id = s.author_id AND u.has_pulled_posts
    CROSS JOIN LATERAL (
      SELECT id FROM posts
      WHERE author_id = u.id AND id <= s.until_id AND delivery = 'PULL' AND deleted_at IS NULL AND """
    + _IN_RANGE
    + """
    ) p WHERE s.viewer_id = :viewer_id
"""
)

_TAGGED = """
    SELECT p.id FROM hashtag_follows h
    CROSS JOIN LATERAL (
      SELECT p.id FROM post_hashtags t JOIN posts p ON p.id = t.post_id
      WHERE t.hashtag_id = h.hashtag_id AND p.deleted_at IS NULL AND (p.visibility <> 'PRIVATE' OR p.author_id = :viewer_id)
        AND t.post_id > :above AND t.post_id < :below ORDER BY t.post_id {direction} LIMIT :size
    ) p WHERE h.user_id = :viewer_id
"""

# DISTINCT: a post that was hidden and shown again has several open promises; the limit counts posts.
_OPEN = """
    SELECT DISTINCT o.post_id AS id FROM outbox o
    JOIN feed_sources s ON s.author_id = o.author_id AND s.viewer_id = :viewer_id AND o.post_id <= s.until_id
    WHERE o.closed_at IS NULL AND o.kind = 'post_published' AND o.post_id > :above AND o.post_id < :below
    ORDER BY o.post_id {direction} LIMIT :size
"""

_UNPUSHED = f"""
    (SELECT 'own', id, NULL::timestamptz FROM ({_OWN}) own)
    UNION ALL (SELECT 'pulled', id, NULL FROM ({_PULLED}) pulled ORDER BY id {{direction}} LIMIT :size)
    UNION ALL (SELECT 'version', pulled_version, NULL FROM deployment)
    UNION ALL (SELECT DISTINCT 'tagged', id, NULL::timestamptz FROM ({_TAGGED}) tagged ORDER BY id {{direction}} LIMIT :size)
    UNION ALL (
      SELECT 'open', o.id, (SELECT min(w.created_at) FROM outbox w WHERE w.post_id = o.id AND w.closed_at IS NULL)
      FROM ({_OPEN}) o
    )
"""

# The newest of many authors. Taking each one's newest `size` would read thousands of rows for a few; so only the newest
# `head` of each are taken at first. The `size`-th of all these is a floor: the others of an author matter only where even
# the last of that author's head lies above it.
_HEAD_OF_PAGE = 1
HEAD_OF_TIMELINE = 4
_LARGE_PAGE = 100


def _newest_of_sources(condition: str, *, in_range: str, beyond: str, within: str) -> str:
    posts = f"SELECT id FROM posts WHERE author_id = s.author_id AND id <= s.until_id AND {condition} AND {in_range}"
    rest = f"SELECT id FROM posts WHERE author_id = h.author_id AND id <= h.until_id AND {condition} AND {in_range}"
    return f"""
      WITH head AS MATERIALIZED (
        SELECT s.author_id, s.until_id, p.id, p.place FROM feed_sources s CROSS JOIN LATERAL (
          SELECT id, row_number() OVER () AS place FROM ({posts} ORDER BY id {{direction}} LIMIT :head) few
        ) p WHERE s.viewer_id = :viewer_id
      ),
      floor AS MATERIALIZED (SELECT id FROM head ORDER BY id {{direction}} OFFSET :size - 1 LIMIT 1),
      rest AS (
        SELECT p.id FROM head h LEFT JOIN floor ON true CROSS JOIN LATERAL (
          {rest} AND id {beyond} h.id AND (floor.id IS NULL OR id {within} floor.id) ORDER BY id {{direction}} LIMIT :size
        ) p WHERE h.place = :head AND (floor.id IS NULL OR h.id {within} floor.id)
      )
      SELECT id FROM (SELECT id FROM head UNION ALL SELECT id FROM rest) found ORDER BY id {{direction}} LIMIT :size
    """


_SHOWABLE = "deleted_at IS NULL AND visibility <> 'PRIVATE'"


# UNION, not UNION ALL: one id may come by its author and by a hashtag.
def _all(beyond: str, within: str) -> str:
    of_sources = _newest_of_sources(_SHOWABLE, in_range="id > :above AND id < :below", beyond=beyond, within=within)
    return f"""
      SELECT id FROM (
        SELECT id FROM ({_OWN}) own
        UNION (SELECT id FROM ({of_sources}) followed)
        UNION ({_TAGGED})
      ) candidates ORDER BY id {{direction}} LIMIT :size
    """


def all_newest() -> str:
    """The statement of `load_all_ids`, from the new end, to be asked within another one."""
    return _all("<", ">").replace("{direction}", "DESC")


def own_newest() -> str:
    """The viewer's own posts, likewise."""
    return _OWN.replace("{direction}", "DESC")


# The identity is drawn when a database is made; a clone of the server's own making shares it, but not the oid.
_VIEWER = text(
    """
    SELECT d.identity || '.' || (SELECT oid FROM pg_database WHERE datname = current_database()),
      u.graph_version, u.following_count, statement_timestamp(), pg_current_snapshot()::text, u.settings,
      coalesce((SELECT position_id FROM feed_positions WHERE user_id = u.id), 0),
      EXISTS (SELECT FROM hashtag_follows WHERE user_id = u.id),
      EXISTS (SELECT FROM kept_follows WHERE viewer_id = u.id)
    FROM users u CROSS JOIN deployment d WHERE u.id = :viewer_id AND u.suspended_at IS NULL
    """
)


def _both_directions(statement: str) -> tuple[TextClause, TextClause]:
    return text(statement.replace("{direction}", "DESC")), text(statement.replace("{direction}", "ASC"))


_UNPUSHED_BOTH = _both_directions(_UNPUSHED.replace("{sources}", "feed_sources"))
# Without the followed authors' pulled posts, which have lists of their own in the cache; kept history has none.
_UNLISTED_BOTH = _both_directions(_UNPUSHED.replace("{sources}", "kept_follows"))
_ALL_BOTH = (_both_directions(_all("<", ">"))[0], _both_directions(_all(">", "<"))[1])
_PUSHED_NEWEST = _both_directions(
    _newest_of_sources(f"delivery = 'PUSH' AND {_SHOWABLE}", in_range="true", beyond="<", within=">")
)[0]


@dataclass(frozen=True, slots=True)
class IdRange:
    """An open interval of ids, read from its new end, or from its old end where `ascending`."""

    above: int = 0
    below: int = MAX_ID
    ascending: bool = False


class FeedViewer(NamedTuple):
    """The viewer as a feed read needs it. Everything committed before `as_of` is in `snapshot`, taken by the same statement."""

    database_identity: str
    graph_version: int
    following_count: int
    as_of: datetime
    snapshot: str
    preferences: FeedPreferences
    position: int
    """The newest entry that was marked as seen; 0 where none was."""
    follows_hashtags: bool
    has_kept_history: bool

    @property
    def has_sources(self) -> bool:
        """Whether anything but the viewer's own posts can ever be in the feed as it is."""
        return self.following_count > 0 or self.follows_hashtags or self.has_kept_history

    @property
    def timeline_version(self) -> TimelineVersion:
        """What a timeline must have been made from to be believed."""
        return TimelineVersion(self.database_identity, self.graph_version)


@dataclass(frozen=True, slots=True)
class UnpushedIds:
    """Candidates that no timeline holds (yet). `oldest_open_at`: since when the longest-waiting of them has waited.

    `pulled_version`: of the deployment, in the same snapshot: the authors of all posts whose rows are closed there are marked.
    """

    ids: list[int]
    oldest_open_at: datetime | None
    pulled_version: int


async def load_feed_viewer(session: ReadSession, viewer_id: int) -> FeedViewer | None:
    """None where the account does not exist or is suspended."""
    row = (await session.execute(_VIEWER, {"viewer_id": viewer_id})).first()
    if row is None:
        return None
    identity, graph_version, following_count, as_of, snapshot, settings, position, follows_hashtags, has_kept_history = row
    return FeedViewer(
        database_identity=identity,
        graph_version=graph_version,
        following_count=following_count,
        as_of=as_of,
        snapshot=snapshot,
        preferences=FeedPreferences.from_settings(settings),
        position=position,
        follows_hashtags=follows_hashtags,
        has_kept_history=has_kept_history,
    )


async def load_unpushed_ids(
    session: ReadSession, viewer_id: int, span: IdRange, *, size: int, with_pulled: bool = True
) -> UnpushedIds:
    """The viewer's own posts, those of pulled authors, those with followed hashtags, and those whose fan-out is not finished.

    At most `size` of each. `with_pulled`: False leaves out pulled posts of followed authors (not those of kept history)."""
    ids: list[int] = []
    oldest: datetime | None = None
    pulled_version = 0
    parameters = {"viewer_id": viewer_id, "above": span.above, "below": span.below, "size": size}
    statement = (_UNPUSHED_BOTH if with_pulled else _UNLISTED_BOTH)[span.ascending]
    for source, number, open_since in await session.execute(statement, parameters):
        if source == "version":
            pulled_version = number
            continue
        ids.append(number)
        if open_since is not None and (oldest is None or open_since < oldest):
            oldest = open_since
    return UnpushedIds(ids, oldest, pulled_version)


async def load_all_ids(session: ReadSession, viewer_id: int, span: IdRange, *, size: int) -> list[int]:
    """The feed's candidates from the truth alone, whatever way they were delivered."""
    head = _HEAD_OF_PAGE if size <= _LARGE_PAGE else HEAD_OF_TIMELINE
    parameters = {"viewer_id": viewer_id, "above": span.above, "below": span.below, "size": size, "head": head}
    return list((await session.execute(_ALL_BOTH[span.ascending], parameters)).scalars())


async def load_pushed_ids(session: ReadSession, viewer_id: int, *, size: int) -> list[int]:
    """What a whole timeline would hold: the newest pushed posts of everybody followed."""
    parameters = {"viewer_id": viewer_id, "size": size, "head": HEAD_OF_TIMELINE}
    return list((await session.execute(_PUSHED_NEWEST, parameters)).scalars())
