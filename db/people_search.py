"""Accounts by their names: exact ones first, then those with words that begin so, then similar ones. Nothing is filtered here.

The place of an account is one number, its *score*:

- 400: the username is what is asked for; 300: the display name is. Without regard to case.
- 200: each word that is asked for begins a word of its names.
- 100: a name holds something similar (word similarity of pg_trgm, shared groups of three letters, from 0.5 on), and 50 times
  that similarity.
- In addition 2 log2(1 + followers), of similar ones half of it, at most 60.

Single follows rarely move anybody: so pages stay where they are while people follow. A bounded number of
accounts is looked at: where more names begin so, all the popular ones and some others.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import TextClause, text

from db.database import ReadSession

MAX_CANDIDATES = 2_000
"""Accounts with words that begin so, besides the popular ones."""
MAX_SIMILAR = 1_000
"""Accounts with similar names, of each of their two names."""
_MIN_SIMILAR = 3
"""Letters."""

_FOLD = text(
    """
    SELECT btrim(folded), search_spaced(folded),
      set_config('enable_seqscan', 'off', true), set_config('max_parallel_workers_per_gather', '0', true),
      set_config('pg_trgm.word_similarity_threshold', '0.5', true)
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
_SIMILAR = text(
    f"""
    WITH candidates (user_id) AS MATERIALIZED (
      SELECT * FROM (SELECT user_id FROM searchable_accounts WHERE username %> :folded LIMIT :candidates) AS named
      UNION SELECT * FROM (SELECT user_id FROM searchable_accounts WHERE display_name %> :folded LIMIT :candidates) AS shown
    ), scored AS MATERIALIZED (
      SELECT a.user_id, 100 + {_POPULARITY} / 2 + CAST(
        50 * greatest(word_similarity(:folded, a.username), word_similarity(:folded, a.display_name)) AS integer) AS score
      FROM candidates JOIN searchable_accounts a USING (user_id) JOIN users u ON u.id = a.user_id
      WHERE NOT a.words @@ CAST(:beginnings AS tsquery) AND lower(u.username) <> :name
    )
    SELECT score, user_id FROM scored WHERE (score, user_id) < (:below_score, :below_id)
    ORDER BY score DESC, user_id DESC LIMIT :size
    """
)
_LOWEST_BEGUN = (200, -1)
"""Similar accounts come below."""

Place = tuple[int, int]
"""(score, id): the keyset, falling."""


@dataclass(frozen=True, slots=True)
class PeopleSearch:
    """A query as the database asks it."""

    name: str
    folded: str
    beginnings: str


async def prepare_people_search(session: ReadSession, query: str) -> PeopleSearch | None:
    """The query, folded as names are; None where nothing is left of it. `session` must be a snapshot."""
    name = query.removeprefix("@")
    folded, spaced, *_ = (await session.execute(_FOLD, {"query": name})).one()
    words = [word.replace("\\", "\\\\").replace("'", "''") for word in spaced.split()]
    if not words:
        return None
    return PeopleSearch(name.lower(), folded, " & ".join(f"'{word}':*" for word in words))


async def find_people(session: ReadSession, search: PeopleSearch, *, below: Place, size: int) -> list[Place]:
    """The next places below one, best first. After `prepare_people_search`."""
    parameters = {"name": search.name, "folded": search.folded, "beginnings": search.beginnings}
    found: list[Place] = []
    if below > _LOWEST_BEGUN:
        found = await _places(session, _BEGUN, {**parameters, "candidates": MAX_CANDIDATES}, below, size)
    if len(found) < size and len(search.folded) >= _MIN_SIMILAR:
        similar = {**parameters, "candidates": MAX_SIMILAR}
        found += await _places(session, _SIMILAR, similar, min(below, _LOWEST_BEGUN), size - len(found))
    return found


async def _places(
    session: ReadSession, statement: TextClause, parameters: dict[str, object], below: Place, size: int
) -> list[Place]:
    bounds = {"below_score": below[0], "below_id": below[1], "size": size}
    return [(row[0], row[1]) for row in await session.execute(statement, {**parameters, **bounds})]
