"""What a query says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import InvalidArgumentError
from domain.search_query import MAX_TERMS, Alternative, Term, TermKind, parse_query


def words(*values: str) -> tuple[Term, ...]:
    return tuple(Term(TermKind.WORDS, value) for value in values)


QUOTED = Term(TermKind.WORDS, "a b", is_quoted=True)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("a  b", [Alternative(words("a", "b"), ())]),
        ('"a b" c', [Alternative((QUOTED, *words("c")), ())]),
        ("“a b”", [Alternative((QUOTED,), ())]),
        ('"a b', [Alternative((QUOTED,), ())]),
        ('a -b -"a b"', [Alternative(words("a"), (*words("b"), QUOTED))]),
        ("a or b c OR d", [Alternative(words(*each), ()) for each in ("a", "bc", "d")]),
        ("or", [Alternative(words("or"), ())]),
        ("or a or", [Alternative(words("or", "a", "or"), ())]),
        ("a or -b", [Alternative(words("a"), ())]),
        ("-a", []),
        (
            "#Tag @Ada_1 #1 @a-b",
            [Alternative((Term(TermKind.HASHTAG, "tag"), Term(TermKind.NAME, "ada_1"), *words("#1", "@a-b")), ())],
        ),
        ("-#tag a", [Alternative(words("a"), (Term(TermKind.HASHTAG, "tag"),))]),
        ("well-known --x", [Alternative(words("well-known"), words("-x"))]),
    ],
)
def test_what_is_understood(query: str, expected: list[Alternative]) -> None:
    assert list(parse_query(query)) == expected


@settings(max_examples=60)
@given(st.text(alphabet=st.sampled_from('ab "-#@or\u201c\u3000\x00東'), max_size=210))
def test_any_text_is_understood_or_refused(query: str) -> None:
    try:
        alternatives = parse_query(query)
    except InvalidArgumentError:
        return
    assert sum(len(one.wanted) + len(one.unwanted) for one in alternatives) <= MAX_TERMS
    assert all(one.wanted for one in alternatives)
