"""Accounts by their names: exact ones first, then those with words that begin so, then similar ones. Nothing is filtered here.

The place of an account is one number, its *score*:

- 400: the username is what is asked for; 300: the display name is. Without regard to case.
- 200: each word that is asked for begins a word of its names.
- 100: a name holds something similar (word similarity of pg_trgm, shared groups of three letters, from 0.5 on), and 50 times
  that similarity.
- In addition 2 log2(1 + followers), of similar ones half of it, at most 60.

Single follows rarely move anybody: so pages stay where they are while people follow. Each way in looks at a bounded number
of accounts; of one or two letters, which many names have, the popular ones are looked at besides.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from db.database import ReadSession

MAX_CANDIDATES = 5_000
"""Accounts that one way in looks at."""
_SHORT = 2

_PREPARE = text(
    """
    SELECT set_config('enable_seqscan', 'off', true), set_config('max_parallel_workers_per_gather', '0', true),
      set_config('pg_trgm.word_similarity_threshold', '0.5', true)
    """
)
_FOLD = text(
    "SELECT btrim(folded), search_spaced(folded) FROM (SELECT search_text(CAST(:query AS text)) AS folded OFFSET 0) AS once"
)
_BY_BEGINNINGS = """
  SELECT * FROM (SELECT user_id FROM searchable_accounts WHERE words @@ CAST(:beginnings AS tsquery) LIMIT :candidates) AS begun
  UNION SELECT id FROM users WHERE lower(username) = :name
"""
_BY_POPULARITY = """
  UNION SELECT p.user_id FROM popular_accounts p JOIN searchable_accounts a USING (user_id)
    WHERE a.words @@ CAST(:beginnings AS tsquery)
"""
_BY_SIMILARITY = """
  UNION SELECT * FROM (SELECT user_id FROM searchable_accounts WHERE username %> :folded LIMIT :candidates) AS named
  UNION SELECT * FROM (SELECT user_id FROM searchable_accounts WHERE display_name %> :folded LIMIT :candidates) AS shown
"""
_RANKED = """
    WITH candidates (user_id) AS MATERIALIZED ({candidates}), scored AS (
      SELECT a.user_id, CASE
        WHEN lower(u.username) = :name THEN 400 + popularity
        WHEN a.display_name = :folded THEN 300 + popularity
        WHEN a.words @@ CAST(:beginnings AS tsquery) THEN 200 + popularity
        ELSE 100 + popularity / 2
          + CAST(50 * greatest(word_similarity(:folded, a.username), word_similarity(:folded, a.display_name)) AS integer)
      END AS score
      FROM candidates JOIN searchable_accounts a USING (user_id) JOIN users u ON u.id = a.user_id
      CROSS JOIN LATERAL (SELECT least(60, CAST(2 * log(2.0, 1 + u.follower_count) AS integer)) AS popularity) AS weighed
    )
    SELECT score, user_id FROM scored WHERE (score, user_id) < (:below_score, :below_id)
    ORDER BY score DESC, user_id DESC LIMIT :size
"""
_STATEMENTS = {
    (is_short, is_long): text(
        _RANKED.format(candidates=_BY_BEGINNINGS + (_BY_POPULARITY if is_short else "") + (_BY_SIMILARITY if is_long else ""))
    )
    for is_short, is_long in ((True, False), (False, True))
}

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
    await session.execute(_PREPARE)
    name = query.removeprefix("@")
    folded, spaced = (await session.execute(_FOLD, {"query": name})).one()
    words = [word.replace("\\", "\\\\").replace("'", "''") for word in spaced.split()]
    if not words:
        return None
    return PeopleSearch(name.lower(), folded, " & ".join(f"'{word}':*" for word in words))


async def find_people(session: ReadSession, search: PeopleSearch, *, below: Place, size: int) -> list[Place]:
    """The next places below one, best first. After `prepare_people_search`."""
    is_short = len(search.folded) <= _SHORT
    rows = await session.execute(
        _STATEMENTS[is_short, not is_short],
        {
            "name": search.name,
            "folded": search.folded,
            "beginnings": search.beginnings,
            "candidates": MAX_CANDIDATES,
            "below_score": below[0],
            "below_id": below[1],
            "size": size,
        },
    )
    return [(row[0], row[1]) for row in rows]
