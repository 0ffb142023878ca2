"""Accounts by their names: exact ones first, then those with words that begin so, then similar ones. Nothing is filtered here.

The place of an account is one number, its *score*:

- 400: the username is what is asked for; 300: the display name is. Without regard to case.
- 200: each word that is asked for begins a word of its names.
- 150, 100: a name holds something very similar, or similar (word similarity of pg_trgm, shared groups of three letters, from
  0.8 and 0.5 on), and 19 times that similarity.
- In addition 2 log2(1 + followers), at most 60; of similar ones half of it.

Single follows rarely move anybody: so pages stay where they are while people follow. A bounded number of
accounts is looked at: where more names begin so, all the popular ones and some others.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import TextClause, text

from db.database import ReadSession

MAX_CANDIDATES = 2_000
"""Accounts with words that begin so, besides the popular ones."""
_MIN_SIMILAR = 3
"""Letters."""

# The first band of similar names is nearly always asked for, so its threshold is set along.
_FOLD = text(
    """
    SELECT btrim(folded), search_spaced(folded),
      set_config('enable_seqscan', 'off', true), set_config('max_parallel_workers_per_gather', '0', true),
      set_config('pg_trgm.word_similarity_threshold', CAST(:threshold AS text), true)
    FROM (SELECT search_text(CAST(:query AS text)) AS folded OFFSET 0) AS once
    """
)
# 2 log2 of followers, of floating point: that of exact numbers takes fifty times as long.
_POPULARITY = (
    "least(60, CAST(2 / ln(CAST(2 AS double precision)) * ln(CAST(1 + u.follower_count AS double precision)) AS integer))"
)
_BEGUN = text(
    f"""
    WITH candidates (user_id) AS MATERIALIZED (
      SELECT * FROM (
        SELECT user_id FROM searchable_accounts WHERE words @@ CAST(:beginnings AS tsquery) LIMIT :candidates
      ) AS begun
      UNION SELECT id FROM users WHERE lower(username) = :name
      UNION SELECT p.user_id FROM popular_accounts p JOIN searchable_accounts a USING (user_id)
        WHERE a.words @@ CAST(:beginnings AS tsquery)
    ), scored AS MATERIALIZED (
      SELECT a.user_id, {_POPULARITY} + CASE
        WHEN lower(u.username) = :name THEN 400 WHEN a.display_name = :folded THEN 300 ELSE 200 END AS score
      FROM candidates JOIN searchable_accounts a USING (user_id) JOIN users u ON u.id = a.user_id
    )
    SELECT score, user_id FROM scored WHERE (score, user_id) < (:below_score, :below_id)
    ORDER BY score DESC, user_id DESC LIMIT :size
    """
)
_THRESHOLD = text("SELECT set_config('pg_trgm.word_similarity_threshold', CAST(:threshold AS text), true)")
_SIMILAR = text(
    f"""
    WITH candidates (user_id) AS MATERIALIZED (
      SELECT * FROM (SELECT user_id FROM searchable_accounts WHERE username %> :folded LIMIT :candidates) AS named
      UNION SELECT * FROM (SELECT user_id FROM searchable_accounts WHERE display_name %> :folded LIMIT :candidates) AS shown
    ), compared AS MATERIALIZED (
      SELECT a.user_id, lower(u.username) AS name, a.words, {_POPULARITY} / 2 AS popularity,
        greatest(word_similarity(:folded, a.username), word_similarity(:folded, a.display_name)) AS similarity
      FROM candidates JOIN searchable_accounts a USING (user_id) JOIN users u ON u.id = a.user_id
    ), scored AS (
      SELECT user_id, :lowest_score + popularity + CAST(19 * similarity AS integer) AS score FROM compared
      WHERE similarity >= :lowest AND similarity < :highest AND name <> :name AND NOT words @@ CAST(:beginnings AS tsquery)
    )
    SELECT score, user_id FROM scored WHERE (score, user_id) < (:below_score, :below_id)
    ORDER BY score DESC, user_id DESC LIMIT :size
    """
)


@dataclass(frozen=True, slots=True)
class _Band:
    """Similarities from `lowest` to below `highest`, whose scores begin at `lowest_score`."""

    lowest_score: int
    lowest: float
    highest: float
    candidates: int
    parameters: dict[str, float] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        named = {"lowest_score": self.lowest_score, "lowest": self.lowest, "highest": self.highest}
        object.__setattr__(self, "parameters", {**named, "candidates": self.candidates})


_BEGUN_SCORE = 200
_BANDS = (_Band(150, 0.8, 2.0, 1_000), _Band(100, 0.5, 0.8, 300))

Place = tuple[int, int]
"""(score, id): the keyset, falling."""


@dataclass(slots=True)
class PeopleSearch:
    """A query as the database asks it. `threshold`: what is set in the snapshot."""

    name: str
    folded: str
    beginnings: str
    threshold: float


async def prepare_people_search(session: ReadSession, query: str) -> PeopleSearch | None:
    """The query, folded as names are; None where nothing is left of it. `session` must be a snapshot."""
    name = query.removeprefix("@")
    ((folded, spaced, *_),) = await session.execute(_FOLD, {"query": name, "threshold": str(_BANDS[0].lowest)})
    words = [word.replace("\\", "\\\\").replace("'", "''") for word in spaced.split()]
    if not words:
        return None
    return PeopleSearch(name.lower(), folded, " & ".join(f"'{word}':*" for word in words), _BANDS[0].lowest)


async def find_people(session: ReadSession, search: PeopleSearch, *, below: Place, size: int) -> list[Place]:
    """The next places below one, best first. After `prepare_people_search`."""
    parameters = {"name": search.name, "folded": search.folded, "beginnings": search.beginnings}
    found: list[Place] = []
    if below >= (_BEGUN_SCORE, 0):
        found = await _places(session, _BEGUN, {**parameters, "candidates": MAX_CANDIDATES}, below, size)
    highest_score = _BEGUN_SCORE
    for band in _BANDS if len(search.folded) >= _MIN_SIMILAR else ():
        if len(found) < size and below >= (band.lowest_score, 0):
            if search.threshold != band.lowest:
                await session.execute(_THRESHOLD, {"threshold": str(band.lowest)})
                search.threshold = band.lowest
            top = min(below, (highest_score, -1))
            found += await _places(session, _SIMILAR, {**parameters, **band.parameters}, top, size - len(found))
        highest_score = band.lowest_score
    return found


async def _places(
    session: ReadSession, statement: TextClause, parameters: dict[str, object], below: Place, size: int
) -> list[Place]:
    bounds = {"below_score": below[0], "below_id": below[1], "size": size}
    return [(row[0], row[1]) for row in await session.execute(statement, {**parameters, **bounds})]
