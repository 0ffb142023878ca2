"""Which texts a muted word hides."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.muted_words import MutedWords

PIECES = st.sampled_from(
    [
        "a",
        "A",
        "b",
        "ab",
        "é",
        "e\u0301",
        "ß",
        "ss",
        "ｘ",
        "x",
        "1",
        "२",
        "_",
        "#",
        ".",
        " ",
        "\n",
        "\u3000",
        "東",
        "京",
        "か",
        "ไ",
        "ल",
        "ी",
    ]
)
TEXTS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=20).map("".join))
WORDS = st.one_of(st.text(min_size=1, max_size=4), st.lists(PIECES, min_size=1, max_size=4).map("".join))


def folded(text: str) -> str:
    once = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", text).casefold())
    return " ".join(unicodedata.normalize("NFKC", once.casefold()).split())


def is_of_a_word(character: str) -> bool:
    if not character or character in "東京かไ":
        return False
    name = unicodedata.name(character, "")
    if any(
        script in name for script in ("CJK", "KANGXI", "HIRAGANA", "KATAKANA", "THAI", "LAO ", "KHMER", "MYANMAR", "IDEOGRAPH")
    ):
        return False
    mark = unicodedata.category(character) in {"Mn", "Mc"} and "VARIATION SELECTOR" not in name
    return character == "_" or character.isalnum() or mark


def plainly(word: str, text: str) -> bool:
    """The rule once more, place by place."""
    word, text = folded(word), folded(text)
    for at in range(len(text) - len(word) + 1 if word else 0):
        end = at + len(word)
        if text[at:end] != word:
            continue
        begins = word[0] != "_" and is_of_a_word(word[0]) and is_of_a_word(text[at - 1 : at])
        goes_on = word[-1] != "_" and is_of_a_word(word[-1]) and is_of_a_word(text[end : end + 1])
        if not begins and not goes_on:
            return True
    return False


@settings(deadline=None)
@given(st.lists(WORDS, max_size=4), TEXTS)
def test_it_is_the_rule(words: list[str], text: str) -> None:
    assert MutedWords(words).matches(text) == any(plainly(word, text) for word in words)


@settings(deadline=None)
@given(WORDS, st.sampled_from(["", " ", "(", "\n", "... "]), st.sampled_from(["", " ", ")", "\n", "!"]))
def test_a_word_is_found_between_anything_but_letters_in_any_case(word: str, before: str, after: str) -> None:
    if folded(word):
        for form in (word, word.upper(), word.lower(), unicodedata.normalize("NFD", word)):
            if folded(form) == folded(word):
                assert MutedWords([word]).matches(before + form + after)


@pytest.mark.parametrize(
    ("word", "text", "is_found"),
    [
        ("spoiler", "SPOILER: he dies", True),
        ("spoiler", "no spoilers", False),
        ("spoiler", "my_spoiler", False),
        ("spoiler", "spoiler_", False),
        ("spoiler", "#spoiler", True),
        ("spoiler", "⚠️spoiler⚠️", True),
        ("cat", "concatenate", False),
        ("cat", "cat2", False),
        ("straße", "STRASSE", True),
        ("ｗｉｄｅ", "wide", True),
        ("ﬁnd", "FIND", True),
        ("caf\u00e9", "cafe\u0301", True),
        ("cafe", "caf\u00e9", False),
        ("world cup", "the World\n \u3000cup", True),
        ("world  cup", "world cup", True),
        ("world cup", "worldcup", False),
        ("world cup", "underworld cup", False),
        ("c++", "I like C++.", True),
        ("c++", "abc++", False),
        ("#ad", "buy this#ad", True),
        ("#ad", "#advent", False),
        ("東京", "今日は東京タワーへ", True),
        ("東京", "東京Tower", True),
        ("ai", "新しいAI技術", True),
        ("ai", "said", False),
        ("ラーメン", "豚骨ラーメン屋", True),
        ("แมว", "ฉันชอบแมวดำ", True),
        ("हिन", "हिन्दी", False),
        ("हिन्दी", "यह हिन्दी है", True),
        ("☃", "a☃b", True),
        ("1", "11", False),
        ("", "anything", False),
        ("  ", "any thing", False),
    ],
)
def test_words_in_texts(word: str, text: str, is_found: bool) -> None:
    assert MutedWords([word]).matches(text) is is_found
    assert plainly(word, text) is is_found


def test_no_words_find_nothing() -> None:
    assert not MutedWords([]).matches("anything")
    assert not MutedWords(["word"]).matches("")


def test_a_text_is_not_searched_for_phrases_of_which_a_word_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[str] = []

    def search(phrase: str, _: str) -> bool:
        searched.append(phrase)
        return False

    monkeypatch.setattr("domain.muted_words._stands_in", search)
    words = MutedWords(["new york", "new jersey", "york _x", "york n_", "c++", "#york", "🎉"])
    assert not words.matches("New York, by day")
    assert searched == ["#york", "new york", "york n_", "🎉"]


def test_a_list_is_prepared_once() -> None:
    assert MutedWords.of(("a", "b")) is MutedWords.of(("a", "b"))
    assert MutedWords.of(("a", "b")).matches("B")


@pytest.mark.parametrize(
    ("word", "piece"),
    [("a" * 100, "a"), ("a.", "aa."), ("a a a b", "a a "), ("x.x", "xx.x"), ("東" * 50 + "京", "東"), (".a.a.b", ".a")],
)
def test_ten_times_the_text_takes_about_ten_times_the_time(word: str, piece: str) -> None:
    muted = MutedWords(
        [word[number % 3 :] + "z" * (number % 5) for number in range(200)] + ["q" * number for number in range(1, 90)]
    )

    def seconds(length: int) -> float:
        text = (piece * length)[:length]
        best = 1.0
        for _ in range(3):
            started = time.process_time()
            muted.matches(text)
            best = min(best, time.process_time() - started)
        return best

    # Quadratic work would take 100 times as long; the allowance of 10 ms is for what does not grow.
    assert seconds(50_000) <= 40 * seconds(5_000) + 0.01
