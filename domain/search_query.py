"""What somebody searches for: words, "phrases", -without, or, #hashtags, @names. The grammar is that of PostgreSQL's
`websearch_to_tsquery`, with hashtags and names added.

Pure: how words are folded and split is the database's business (`db.post_search`), the same for texts and for queries. Nothing
here is a pattern language: every other character is itself, or separates words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from domain.errors import InvalidArgumentError
from domain.text import TextProblem, check_line, normalise_hashtag

MAX_QUERY_LENGTH = 200
"""Code points."""
MAX_TERMS = 20


class TermKind(Enum):
    WORDS = "WORDS"
    """What the database makes words of; more than one stand side by side."""
    HASHTAG = "HASHTAG"
    """A normalised name, without the sign."""
    NAME = "NAME"
    """A username in lower case, without the sign: posts that mention it."""


@dataclass(frozen=True, slots=True)
class Term:
    """One thing to look for. `is_quoted`: exactly these words, never parts of others."""

    kind: TermKind
    value: str
    is_quoted: bool = False


@dataclass(frozen=True, slots=True)
class Alternative:
    """What a post must have, all of it, and what it must not have, any of it."""

    wanted: tuple[Term, ...]
    unwanted: tuple[Term, ...]


_TOKEN = re.compile(r'(-?)(?:["“”„]([^"“”„]*)["“”„]?|([^\s"“”„]+))')
_NAME = re.compile(r"@([A-Za-z0-9_]{1,50})")


def check_query(query: str) -> str:
    """The query without space around it. Raises InvalidArgumentError: blank, over-long, control characters."""
    problem = check_line(query, MAX_QUERY_LENGTH)
    if problem is TextProblem.TOO_LONG:
        raise InvalidArgumentError(f"query has at most {MAX_QUERY_LENGTH} characters")
    if problem is TextProblem.BLANK:
        raise InvalidArgumentError("query must not be blank")
    if problem is not None:
        raise InvalidArgumentError("query holds characters that are not allowed")
    return query.strip()


def parse_query(query: str) -> tuple[Alternative, ...]:
    """The alternatives, of which one is enough. One with nothing to look for, only things to leave out, finds nothing and is
    dropped. Raises InvalidArgumentError for what `check_query` refuses and for more than MAX_TERMS terms."""
    alternatives: list[Alternative] = []
    wanted: list[Term] = []
    unwanted: list[Term] = []
    tokens = [token for token in _TOKEN.finditer(check_query(query)) if token[2] is None or token[2].strip()]
    if len(tokens) > MAX_TERMS:
        raise InvalidArgumentError(f"query has at most {MAX_TERMS} words")
    for place, token in enumerate(tokens):
        is_between = 0 < place < len(tokens) - 1
        if is_between and token.group().lower() == "or":
            alternatives.append(Alternative(tuple(wanted), tuple(unwanted)))
            wanted, unwanted = [], []
            continue
        minus, phrase, bare = token.groups()
        term = Term(TermKind.WORDS, phrase, is_quoted=True) if phrase is not None else _bare_term(bare)
        (unwanted if minus else wanted).append(term)
    alternatives.append(Alternative(tuple(wanted), tuple(unwanted)))
    return tuple(alternative for alternative in alternatives if alternative.wanted)


def _bare_term(word: str) -> Term:
    if word[0] in "#＃" and (hashtag := normalise_hashtag(word[1:])) is not None:
        return Term(TermKind.HASHTAG, hashtag)
    name = _NAME.fullmatch(word)
    return Term(TermKind.NAME, name.group(1).lower()) if name is not None else Term(TermKind.WORDS, word)
