"""Full text search over posts, newest first, at a cost that does not hang on how common the words are.

Common words are found by walking the newest posts one by one; rare ones by the index, which knows nothing of the order, and
must therefore be asked for a bounded time at once (`domain.search_periods`). Which of the two finds more is not left to the
planner: first some thousands of posts are walked, then come windows of the index. Nothing is filtered here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import TextClause, text

from db.database import ReadSession
from domain.ids import TIME_SHIFT
from domain.search_periods import windows_below
from domain.search_query import Alternative, Term, TermKind

WALKED_POSTS = 2_000
"""Words in more than one of a hundred posts fill a page within these."""
MIN_PART_LENGTH = 3
"""Letters of a word's part: the index knows groups of three."""

# Without the ways that are never right here, the windows' statement cannot be planned otherwise than by the index.
_PREPARE = text("SELECT set_config('enable_seqscan', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)")
_FOLD = text(
    """
    SELECT CAST(phraseto_tsquery('pg_catalog.simple', spaced) AS text), spaced, pictures
    FROM unnest(CAST(:terms AS text[])) WITH ORDINALITY AS given (term, place)
    CROSS JOIN LATERAL (SELECT search_text(term) AS folded OFFSET 0) AS once
    CROSS JOIN LATERAL (SELECT search_spaced(folded) AS spaced, search_pictures(folded) AS pictures OFFSET 0) AS made
    ORDER BY place
    """
)
_OLDEST = text("SELECT min(post_id) FROM searchable_posts")


@dataclass(frozen=True, slots=True)
class PostCondition:
    """`query`: a tsquery, or empty; `parts`: letters that must stand side by side somewhere in the text, ASCII only."""

    query: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PostSearch:
    """A query as the database asks it. `by_parts`: where whole words find nothing; None where that would ask the same."""

    by_words: PostCondition
    by_parts: PostCondition | None


async def prepare_search(session: ReadSession, alternatives: tuple[Alternative, ...]) -> PostSearch | None:
    """The query, folded as the posts are; None where nothing is left of it that could be found. One statement.

    `session` must be a snapshot: what is set here holds until its end.
    """
    await session.execute(_PREPARE)
    terms = [
        term
        for alternative in alternatives
        for term in (*alternative.wanted, *alternative.unwanted)
        if term.kind is TermKind.WORDS
    ]
    rows = await session.execute(_FOLD, {"terms": [term.value for term in terms]})
    folded = dict(zip(terms, (_Folded(*row) for row in rows), strict=False)) if terms else {}
    conditions = [query for alternative in alternatives if (query := _query_of(alternative, folded))]
    if not conditions:
        return None
    by_parts = _by_parts(alternatives[0], folded) if len(alternatives) == 1 else None
    return PostSearch(PostCondition(" | ".join(conditions)), by_parts)


async def find_posts(session: ReadSession, condition: PostCondition, *, below_id: int, size: int) -> list[int]:
    """The newest `size` posts below an id that fulfil the condition; fewer where there are no more. After `prepare_search`."""
    parameters: dict[str, object] = {f"part{place}": f"%{part}%" for place, part in enumerate(condition.parts)}
    if condition.query:
        parameters["query"] = condition.query
    walk, window = _statements(bool(condition.query), len(condition.parts))
    rows = await session.execute(walk, {**parameters, "below_id": below_id, "walked": WALKED_POSTS, "size": size})
    walked, lowest, highest, found = rows.one()
    if walked < WALKED_POSTS or len(found) == size:
        return list(found)
    oldest = (await session.execute(_OLDEST)).scalar_one()
    async for more in _find_in_windows(session, window, parameters, lowest, highest, oldest, size):
        found += [post_id for post_id in more if post_id < (found[-1] if found else lowest)][: size - len(found)]
        if len(found) == size:
            break
    return list(found)


async def _find_in_windows(
    session: ReadSession,
    statement: TextClause,
    parameters: dict[str, object],
    lowest: int,
    highest: int,
    oldest: int,
    size: int,
) -> AsyncIterator[list[int]]:
    walked_ms = (highest >> TIME_SHIFT) - (lowest >> TIME_SHIFT)
    for window in windows_below(lowest - 1, walked_ms=walked_ms, oldest_id=oldest):
        bounds = {"periods": list(window.periods), "below_id": lowest, "size": size}
        rows = await session.execute(statement, {**parameters, **bounds})
        yield list(rows.scalars())


@lru_cache(maxsize=64)
def _statements(has_query: bool, parts: int) -> tuple[TextClause, TextClause]:
    conditions = ["words @@ CAST(:query AS tsquery)"] if has_query else []
    conditions += [f"body LIKE :part{place}" for place in range(parts)]
    condition = " AND ".join(conditions)
    walk = text(
        f"""
        WITH walked AS MATERIALIZED (
          SELECT post_id, {condition} AS is_found
          FROM (
            SELECT post_id, words, body FROM searchable_posts WHERE post_id < :below_id ORDER BY post_id DESC LIMIT :walked
          ) AS newest
        )
        SELECT count(*), min(post_id), max(post_id),
          ARRAY(SELECT post_id FROM walked WHERE is_found ORDER BY post_id DESC LIMIT :size)
        FROM walked
        """
    )
    # The sums keep the primary key out of it, whose order would look attractive.
    window = text(
        f"""
        SELECT post_id FROM searchable_posts
        WHERE {condition} AND search_periods(post_id) && CAST(:periods AS integer[]) AND post_id + 0 < :below_id
        ORDER BY post_id + 0 DESC LIMIT :size
        """
    )
    return walk, window


@dataclass(frozen=True, slots=True)
class _Folded:
    query: str
    spaced: str
    pictures: list[str]


def _query_of(alternative: Alternative, folded: dict[Term, _Folded]) -> str:
    wanted = [query for term in alternative.wanted if (query := _exactly(term, folded))]
    return _all_of(wanted, alternative, folded) if wanted else ""


def _all_of(wanted: list[str], alternative: Alternative, folded: dict[Term, _Folded]) -> str:
    unwanted = [f"!({query})" for term in alternative.unwanted if (query := _exactly(term, folded))]
    return f"({' & '.join([*wanted, *unwanted])})"


def _exactly(term: Term, folded: dict[Term, _Folded]) -> str:
    if term.kind is not TermKind.WORDS:
        return _lexeme(_mark(term))
    made = folded[term]
    return " & ".join([*([f"({made.query})"] if made.query else []), *map(_lexeme, made.pictures)])


def _by_parts(alternative: Alternative, folded: dict[Term, _Folded]) -> PostCondition | None:
    queries: list[str] = []
    parts: list[str] = []
    changed = False
    for term in alternative.wanted:
        if term.is_quoted:
            queries += _given(_exactly(term, folded))
        elif term.kind is not TermKind.WORDS:
            queries.append(f"{_lexeme(_mark(term))}:*")
            changed = True
        else:
            for word in folded[term].spaced.split():
                # The index's letters are those of the database's locale; beginnings of words it finds in any script.
                if word.isascii() and len(word) >= MIN_PART_LENGTH:
                    parts.append(word)
                    changed = True
                elif not word.isascii() and len(word) > 1:
                    queries.append(f"{_lexeme(word)}:*")
                    changed = True
                else:
                    queries.append(_lexeme(word))
            queries += map(_lexeme, folded[term].pictures)
    if not changed:
        return None
    if not queries and not any(_exactly(term, folded) for term in alternative.unwanted):
        return PostCondition("", tuple(parts))
    return PostCondition(_all_of(queries, alternative, folded), tuple(parts))


def _given(query: str) -> Iterable[str]:
    return [query] if query else []


def _mark(term: Term) -> str:
    return f"#{term.value}" if term.kind is TermKind.HASHTAG else f"@{term.value}"


def _lexeme(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
