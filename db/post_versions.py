"""Posts with their authors, many at once, as far as they are not what the asker knows already.

One statement both asks whether what is remembered still holds and answers where it does not; what viewers have done with them
comes along. A row's version is its `xmin`
(see `db.viewer_looks`); of a post the counts are compared besides, since what is on its way to them leaves the row as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import text

from db.array_text import array_text
from db.database import ReadSession
from db.engagement import ASKED_MARKS, MARKS_OF_MANY, marks_parameters
from db.rows import POST_COLUMNS, POST_WIDTH, USER_COLUMNS, USER_WIDTH, to_post, to_user
from domain.engagement import ViewerMarks
from domain.feed_rule import shows_all_public_posts
from domain.records import PostFacts, PostRecord, Relation, UserRecord, Visibility

_VERSION = "(p.xmin::text::bigint << 32 | u.xmin::text::bigint)"
"""Of a post and its author together."""
_UNKNOWN = 0
"""The version of what nobody knows: no row has it."""

# Counts on their way are few and are read at once, not a look for each post.
# Numbers go as text: the driver takes ten times as long for each element of an array. Counts on their way are few, and are read
# at once, not for each post.
_CHANGED = text(
    f"""
    WITH {ASKED_MARKS}, flight AS MATERIALIZED (
      SELECT q.post_id, sum(q.likes) AS likes, sum(q.comments) AS comments FROM counter_changes q
      WHERE q.post_id = ANY(CAST(CAST(:ids AS text) AS bigint[])) GROUP BY q.post_id
    )
    SELECT r.run, r.marks, c.* FROM (
      SELECT pg_postmaster_start_time() AS run, (
        SELECT string_agg(concat_ws(' ', m.viewer_id, m.post_id, m.has_liked::int, m.has_bookmarked::int), ',')
        FROM ({MARKS_OF_MANY}) AS m
      ) AS marks
    ) AS r LEFT JOIN LATERAL (
    SELECT k.id AS asked_id, {_VERSION}, u.xmin::text::bigint, coalesce(q.likes, 0), coalesce(q.comments, 0),
      {POST_COLUMNS}, {USER_COLUMNS}
    FROM unnest(CAST(CAST(:ids AS text) AS bigint[]), CAST(CAST(:versions AS text) AS bigint[]),
                CAST(CAST(:likes AS text) AS integer[]), CAST(CAST(:comments AS text) AS integer[]))
      AS k(id, version, likes, comments)
    LEFT JOIN posts p ON p.id = k.id LEFT JOIN users u ON u.id = p.author_id LEFT JOIN flight q ON q.post_id = k.id
    WHERE p.id IS NULL OR {_VERSION} <> k.version
      OR coalesce(q.likes, 0) <> coalesce(k.likes, 0) OR coalesce(q.comments, 0) <> coalesce(k.comments, 0)
    ) AS c ON true
    """
)


_KEPT_FACTS = 8
_HALF = (1 << 32) - 1
_NO_FLIGHT = (0, 0)
_flight_of = attrgetter("flight")
_version_of = attrgetter("version")


@dataclass(frozen=True, slots=True)
class KnownPost:
    """A post and its author as they were read. `version`: of both rows; `flight`: what was on its way to its counts."""

    post: PostRecord
    author: UserRecord
    version: int
    author_version: int
    flight: tuple[int, int]
    author_id: int = field(init=False, compare=False)
    is_public: bool = field(init=False, compare=False)
    """Whether it is an existing post of its own for everybody, and nobody has passed it on: most are."""
    facts: dict[int, PostFacts] | None = field(default=None, init=False, repr=False, compare=False)
    """What `facts_for` has made, by the address of the relation, which each of them keeps alive."""
    usual_relation: Relation | None = field(default=None, init=False, repr=False, compare=False)
    """The first with which `plain_facts_for` has made any: most viewers have the same."""
    usual_facts: PostFacts | None = field(default=None, init=False, repr=False, compare=False)
    """These: not in a dictionary, which would have to be fetched from memory, too."""

    def __post_init__(self) -> None:
        post = self.post
        is_own = not (post.is_deleted or post.is_plain_share or post.share_count)
        object.__setattr__(self, "author_id", self.author.id)
        object.__setattr__(self, "is_public", is_own and post.visibility is Visibility.PUBLIC)

    def facts_for(self, relation: Relation) -> PostFacts:
        """The facts for a viewer with that relation to the author: most have the same, so they are made once."""
        kept = self.facts
        if kept is None:
            kept = {}
            object.__setattr__(self, "facts", kept)
        facts = kept.get(id(relation))
        if facts is None:
            if len(kept) >= _KEPT_FACTS:
                kept.clear()
            facts = kept[id(relation)] = PostFacts(self.post, self.author, relation)
        return facts

    def plain_facts_for(self, relation: Relation) -> PostFacts | None:
        """The same where that relation and these two records alone say that the post is shown to a follower (nothing of it
        can change, since records do not); None where there is more to be asked."""
        if relation is self.usual_relation:
            return self.usual_facts
        if not (self.is_public and shows_all_public_posts(self.author, relation)):
            return None
        facts = self.facts_for(relation)
        # One with an end is this viewer's alone.
        if self.usual_relation is None and relation.muted_until is None and relation.kept_until is None:
            object.__setattr__(self, "usual_relation", relation)
            object.__setattr__(self, "usual_facts", facts)
        return facts

    def is_same_post(self, other: KnownPost) -> bool:
        """Whether nothing but the author may differ."""
        return (self.version & ~_HALF) == (other.version & ~_HALF) and self.flight == other.flight


@dataclass(frozen=True, slots=True)
class Changes:
    """What one statement says. `run`: of the server (see `db.viewer_looks.Moment`); `posts`: those that are not what was known,
    None for what does not exist; `marks`: by viewer and post, where the viewer has done anything."""

    run: datetime
    posts: dict[int, KnownPost | None]
    marks: dict[int, dict[int, ViewerMarks]]


async def load_changed_posts(
    session: ReadSession,
    post_ids: Sequence[int],
    known: Sequence[KnownPost | None],
    *,
    marks: Sequence[tuple[int, Sequence[int]]] = (),
) -> Changes:
    """Of the posts those that are not what is known of them (None: nothing) as they are now; None for what does not exist.

    What is missing from the answer is at this moment exactly what is known, if that was read in the same run of the server.
    `marks`: viewers, each with posts, whose marks come along.
    """
    flights: list[tuple[int, int]]
    versions: list[int]
    if all(known):
        flights, versions = [*map(_flight_of, known)], [*map(_version_of, known)]
    else:
        flights = [_NO_FLIGHT if one is None else one.flight for one in known]
        versions = [_UNKNOWN if one is None else one.version for one in known]
    has_flight = flights.count(_NO_FLIGHT) < len(flights)
    parameters = marks_parameters(marks) | {
        "ids": array_text(post_ids),
        "versions": array_text(versions),
        "likes": array_text([likes for likes, _ in flights]) if has_flight else "{}",
        "comments": array_text([comments for _, comments in flights]) if has_flight else "{}",
    }
    rows = list(await session.execute(_CHANGED, parameters))
    run, marked, *_ = rows[0]
    return Changes(run, {row[2]: _to_known(row) for row in rows if row[2] is not None}, _to_marks(marked) if marked else {})


def _to_marks(text: str) -> dict[int, dict[int, ViewerMarks]]:
    found: dict[int, dict[int, ViewerMarks]] = {}
    for part in text.split(","):
        viewer_id, post_id, has_liked, has_bookmarked = map(int, part.split(" "))
        found.setdefault(viewer_id, {})[post_id] = ViewerMarks(bool(has_liked), bool(has_bookmarked))
    return found


def _to_known(row: Sequence[Any]) -> KnownPost | None:
    _, _, _, version, author_version, likes, comments, *columns = row
    if version is None:
        return None
    post, author = to_post(columns[:POST_WIDTH]), to_user(columns[POST_WIDTH : POST_WIDTH + USER_WIDTH])
    flight = (likes, comments) if likes or comments else _NO_FLIGHT
    return KnownPost(post, author, version, author_version, flight)
