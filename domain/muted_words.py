"""Whether a text holds one of the words that a viewer does not want to read.

Pure, and without regular expressions made of what people wrote: most words are looked up among the text's own, the others are
searched for as they are, so the time grows with the text and the number of words alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

_CACHED_LISTS = 1_000
# Written without spaces between words: Thai and Lao, Myanmar, Khmer, Han with kana. There anything may stand beside a word.
_WITHOUT_SPACES = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u30ff"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua9e0-\ua9ff\uaa60-\uaa7f\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U000323af"
)

_ASCII_WORD = re.compile(r"[a-z0-9_]+")


class MutedWords:
    """Some words and phrases, and the question whether a text holds one of them.

    Case and compatibility forms (full width, ligatures) make no difference, and a space in a phrase stands for any white space.
    A word counts as a whole: where it begins or ends with a letter or digit, no other letter, digit or underscore may stand
    directly beside it; a combining mark is a part of its letter. Scripts written without spaces
    neither ask for that nor break it.
    """

    def __init__(self, words: Iterable[str]) -> None:
        forms = {form for form in map(_fold, words) if form}
        self._words = frozenset(form for form in forms if _is_one_word(form))
        self._phrases = tuple((phrase, _whole_words(phrase)) for phrase in sorted(forms - self._words))

    @staticmethod
    @lru_cache(maxsize=_CACHED_LISTS)
    def of(words: tuple[str, ...]) -> MutedWords:
        """The same, remembered: a viewer's list is prepared once, not once a page."""
        return MutedWords(words)

    def matches(self, text: str) -> bool:
        """Whether one of the words stands in the text."""
        if not (self._words or self._phrases) or not text:
            return False
        folded = _fold(text)
        word = _ASCII_WORD if folded.isascii() else _spaced_word()
        words = frozenset(word.findall(folded))
        if not self._words.isdisjoint(words):
            return True
        # Comparing sets takes a twentieth of searching a long text, and nearly always says no.
        return any(needed <= words and _stands_in(phrase, folded) for phrase, needed in self._phrases)


def _fold(text: str) -> str:
    """Unicode's compatibility case folding, with single spaces."""
    if text.isascii():
        folded = text.lower()
    else:
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", text).casefold()).casefold()
        folded = unicodedata.normalize("NFKC", folded)
    return " ".join(folded.split())


def _whole_words(phrase: str) -> frozenset[str]:
    """The words of a phrase that stand by themselves in every text that holds it; not those with an underscore at its edge."""
    return frozenset(
        found.group()
        for found in _spaced_word().finditer(phrase)
        if not (found.start() == 0 and phrase[0] == "_") and not (found.end() == len(phrase) and phrase[-1] == "_")
    )


def _stands_in(phrase: str, text: str) -> bool:
    at = text.find(phrase)
    while at >= 0:
        end = at + len(phrase)
        before, after = text[at - 1 : at], text[end : end + 1]
        if not (_joins(before, phrase[0]) or _joins(after, phrase[-1])):
            return True
        at = text.find(phrase, at + 1)
    return False


def _joins(neighbour: str, edge: str) -> bool:
    """Whether the neighbour (empty at either end of the text) makes another word of the one that ends here."""
    return bool(neighbour) and edge != "_" and _spaced_word().fullmatch(edge + neighbour) is not None


def _is_one_word(form: str) -> bool:
    """Whether it stands in a text exactly where it is one of the text's own words."""
    return "_" not in (form[0], form[-1]) and _spaced_word().fullmatch(form) is not None


@cache
def _spaced_word() -> re.Pattern[str]:
    """Letters, digits, underscores and the marks upon them, of scripts that put spaces between words."""
    without_spaces = re.compile(f"[{_WITHOUT_SPACES}]")
    ranges: list[list[int]] = []
    # One class without a condition at each character: that is three times as fast. Beyond the first planes are Han alone.
    for point in range(0x20000):
        if not _is_of_a_word(chr(point)) or without_spaces.match(chr(point)):
            continue
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges) + "]+")


def _is_of_a_word(character: str) -> bool:
    if character == "_" or character.isalnum():
        return True
    # Selectors say how an emoji is drawn; they stand behind symbols, not upon letters.
    return unicodedata.category(character) in {"Mn", "Mc"} and not "\ufe00" <= character <= "\ufe0f"
