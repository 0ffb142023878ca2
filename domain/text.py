"""What people write: which texts are accepted, and the mentions, hashtags and links inside them.

Pure rules. The one library is linkify-it-py, a port of the link grammar that Markdown renderers use; it does no I/O
and is asked only about places where a link can begin, so that the cost stays linear in the length of the text.

All offsets are **code points**, as Python counts them; clients whose strings are UTF-16 (browsers) convert.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from enum import Enum
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from linkify_it import LinkifyIt

MAX_POST_LENGTH = 5_000
MAX_USERNAME_LENGTH = 50
MAX_HASHTAG_LENGTH = 100
MAX_LINK_LENGTH = 2_048
MAX_ENTITIES = 500


class SpanKind(Enum):
    MENTION = "MENTION"
    HASHTAG = "HASHTAG"
    LINK = "LINK"


class TextProblem(Enum):
    """Why a text is refused. BLANK: nothing in it can be seen. INVALID: characters that cannot be stored or shown."""

    BLANK = "BLANK"
    TOO_LONG = "TOO_LONG"
    INVALID = "INVALID"


class TextSpan(NamedTuple):
    """One entity: `text` is `source[start:end]`.

    `target` is what it stands for: the username in lower case, the normalised hashtag (`normalise_hashtag`), or the
    absolute http(s) address.
    """

    kind: SpanKind
    start: int
    end: int
    text: str
    target: str


# ---------------------------------------------------------------------------------------------------- acceptance

_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_UNSTORABLE_IN_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Letters and symbols by category, yet drawn as nothing: the Hangul fillers and the empty Braille pattern.
_INVISIBLE = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def check_post_text(text: str, *, max_length: int = MAX_POST_LENGTH) -> TextProblem | None:
    """Says what is wrong with a text of several lines, or None. `max_length` counts code points.

    INVALID are NUL, lone surrogates and every C0 control except line feed, carriage return and tab.
    """
    return _check(text, max_length, _UNSTORABLE)


def check_line(text: str, max_length: int) -> TextProblem | None:
    """Says what is wrong with a text of one line (a display name), or None: no controls and no line breaks at all."""
    return _check(text, max_length, _UNSTORABLE_IN_LINE)


def _check(text: str, max_length: int, unstorable: re.Pattern[str]) -> TextProblem | None:
    if len(text) > max_length:
        return TextProblem.TOO_LONG
    if unstorable.search(text):
        return TextProblem.INVALID
    if not any(_is_visible(character) for character in text):
        return TextProblem.BLANK
    return None


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] not in "ZC" and character not in _INVISIBLE


# ------------------------------------------------------------------------------------------------------ entities


def find_entities(text: str) -> tuple[TextSpan, ...]:
    """Finds mentions, hashtags and links, sorted and without overlaps; takes time linear in the length of any text.

    - **Mention**: `@name` with 1 to 50 of `A-Z a-z 0-9 _`, not behind a word character or `@` (an e-mail address), not
      before another `@` (an account elsewhere) or a Latin letter or mark that would belong to the name.
    - **Hashtag**: `#` (or the full-width `＃`) and at most 100 word characters (letters, digits, `_`) or marks, at
      least one of them a letter; not behind a word character, `&`, `/` or `#`.
    - **Link**: `http://` or `https://` addresses, and those that begin with `www.`, which become `https://`. Other bare
      domains stay text: `main.py` and `e.g.this` would be links too. Addresses with a user before the host are refused
      (`https://bank.example@evil.example` deceives), and so are those over 2,048 characters.

    Links win; no mention or hashtag is found inside any address, linked or not. After the first 500 entities the rest
    stays text: every one of them is stored, resolved and sent with the post.
    """
    if not ("@" in text or "#" in text or "＃" in text or "://" in text or "www." in text.lower()):
        return ()  # most texts: nothing can begin in them
    links, addresses = _find_links(text)
    taken = sorted([*((link.start, link.end) for link in links), *addresses])
    # Mentions and hashtags never overlap: neither may contain the sign with which the other begins.
    names = _outside(merge(_find_mentions(text), _find_hashtags(text), key=_START), taken)
    return tuple(islice(merge(links, names, key=_START), MAX_ENTITIES))


_START = attrgetter("start")
# Fuzzy matching is off: bare domains and e-mail addresses are no entities.
_LINKIFY = LinkifyIt(options={"fuzzy_link": False, "fuzzy_email": False})
_LINKIFY.match_at_start("https://example.com/")  # compiles its grammar now: 15 ms that no request should pay

# re.ASCII also keeps IGNORECASE from taking the long s (U+017F) for an s.
_LINK_START = re.compile(r"(?<![A-Z0-9_])https?://|(?<![A-Z0-9_@#/.:-])www\.", re.IGNORECASE | re.ASCII)
# White space, controls, lone surrogates, and the invisible and bidirectional marks with which an address is made to
# look like another.
_ADDRESS_END = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
# Ends a sentence, not an address; linkify knows only the ASCII ones.
_WIDE_PUNCTUATION = "。、，．！？：；…」』）】》〉｡､"
_AUTHORITY = re.compile(r"[^/?#]*")
# Addresses that are not linked, but whose parts are no mentions or hashtags either: ftp://host/@x, medium.com/@x.
_UNLINKED_ADDRESS = re.compile(
    r"(?<![\w.@-])(?:[A-Za-z][A-Za-z0-9+.-]{1,30}://|(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}(?::[0-9]{1,5})?/)\S*"
)
# Each attempt looks at up to MAX_LINK_LENGTH characters, and hostile texts make attempts overlap. Together they may
# look at this many times the length of the text; ordinary text needs once.
_SCAN_ALLOWANCE = 3


def _find_links(text: str) -> tuple[list[TextSpan], list[tuple[int, int]]]:
    """The links, and the ranges of addresses that are none."""
    links: list[TextSpan] = []
    addresses = [match.span() for match in _UNLINKED_ADDRESS.finditer(text)]
    remaining = MAX_LINK_LENGTH + _SCAN_ALLOWANCE * len(text)
    position = 0
    while remaining > 0 and (start := _LINK_START.search(text, position)):
        limit = start.start() + MAX_LINK_LENGTH + 1
        stop = _ADDRESS_END.search(text, start.start(), limit)
        window = text[start.start() : stop.start() if stop else limit]
        remaining -= len(window)
        length, target = _match_link(window)
        if length > MAX_LINK_LENGTH:
            stop = _ADDRESS_END.search(text, start.end())
            position = stop.start() if stop else len(text)
            addresses.append((start.start(), position))
        elif length:
            position = start.start() + length
            links.append(TextSpan(SpanKind.LINK, start.start(), position, text[start.start() : position], target))
        else:
            position = start.end()
    return links, addresses


def _match_link(window: str) -> tuple[int, str]:
    """Length and target of the link that begins `window`; (0, "") if none does."""
    scheme, separator, _ = window.partition("://")
    has_scheme = bool(separator) and scheme.lower() in {"http", "https"}
    prefix = "" if has_scheme else "https://"
    match = _LINKIFY.match_at_start(prefix + window)
    if match is None:
        return 0, ""
    address = match.raw.rstrip(_WIDE_PUNCTUATION)
    scheme, _, rest = address.partition("://")
    authority = _AUTHORITY.match(rest)
    host = authority.group() if authority else ""
    if "@" in host or (not has_scheme and host.count(".") < 2):
        return 0, ""
    return len(address) - len(prefix), f"{scheme.lower()}://{rest}"


_MENTION = re.compile(
    rf"(?<![\w@＠])@([A-Za-z0-9_]{{1,{MAX_USERNAME_LENGTH}}})"
    r"(?![A-Za-z0-9_@＠\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0300-\u036f\u1e00-\u1eff])"
)
_HASH = re.compile(r"(?<![\w&/#＃])[#＃]")
_ASCII_HASHTAG = re.compile(r"[0-9_]*[A-Za-z][A-Za-z0-9_]*")
_HASHTAG_NAME = re.compile(r"\w+")
_JOINERS = "\u200c\u200d"  # Persian and Indic words need them; inside a hashtag they neither begin, end nor distinguish


def _find_mentions(text: str) -> Iterator[TextSpan]:
    for match in _MENTION.finditer(text):
        if not _follows_mark(text, match.start()):
            name = match.group(1).lower()
            yield TextSpan(SpanKind.MENTION, match.start(), match.end(), match.group(), name)


def _find_hashtags(text: str) -> Iterator[TextSpan]:
    for match in _HASH.finditer(text):
        found = _HASHTAG_NAME.match(text, match.end())
        if found is None or _follows_mark(text, match.start()):
            continue
        end = found.end()
        while end < len(text) and _continues_tag(text[end]):
            word = _HASHTAG_NAME.match(text, end + 1)
            end = word.end() if word else end + 1
        name = text[match.end() : end].rstrip(_JOINERS)
        target = normalise_hashtag(name)
        if target is not None:
            end = match.end() + len(name)
            yield TextSpan(SpanKind.HASHTAG, match.start(), end, text[match.start() : end], target)


def normalise_hashtag(name: str) -> str | None:
    """The one name under which all spellings of a hashtag (without `#`) are kept; None if it is not a hashtag's name.

    NFKC and case folding as in Unicode's toNFKC_Casefold; joiners and what compatibility forms bring along besides
    word characters and marks (U+FDFA holds spaces) are dropped. The result has at most 100 characters, is its own
    normal form, and contains a letter.
    """
    if name.isascii():
        return name.lower() if len(name) <= MAX_HASHTAG_LENGTH and _ASCII_HASHTAG.fullmatch(name) else None
    if len(name) > MAX_HASHTAG_LENGTH or not _HASHTAG_NAME.match(name) or name[-1] in _JOINERS:
        return None
    if not (_HASHTAG_NAME.fullmatch(name) or all(_is_word(c) or _continues_tag(c) for c in name)):
        return None
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", name).casefold()).casefold()
    target = unicodedata.normalize("NFKC", folded)
    if not _HASHTAG_NAME.fullmatch(target):
        target = unicodedata.normalize("NFKC", "".join(c for c in target if _is_word(c) or _is_mark(c)))
    return target if len(target) <= MAX_HASHTAG_LENGTH and any(map(str.isalpha, target)) else None


def _is_word(character: str) -> bool:
    return character == "_" or character.isalnum()


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"


def _continues_tag(character: str) -> bool:
    return character in _JOINERS or _is_mark(character)


def _follows_mark(text: str, position: int) -> bool:
    """Whether a combining mark stands before `position`: it belongs to a word, though `\\w` does not say so."""
    return position > 0 and _is_mark(text[position - 1])


def _outside(spans: Iterable[TextSpan], taken: list[tuple[int, int]]) -> Iterator[TextSpan]:
    """The sorted `spans` that touch none of the sorted ranges, which may overlap each other."""
    index, reach = 0, 0
    for span in spans:
        while index < len(taken) and taken[index][0] < span.end:
            reach = max(reach, taken[index][1])
            index += 1
        if span.start >= reach:
            yield span
