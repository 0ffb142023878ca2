"""From what somebody calls a hashtag to the one name under which it is kept."""

from __future__ import annotations

from domain.errors import RefusalCode, refused
from domain.text import MAX_HASHTAG_LENGTH, TextProblem, check_line, normalise_hashtag

_SIGNS = "#＃"


def check_hashtag_name(name: str) -> str:
    """The normalised name, of one with or without its sign. Raises RefusedError: BLANK, TOO_LONG, INVALID."""
    bare = _without_sign(name)
    problem = check_line(bare, MAX_HASHTAG_LENGTH)
    if problem is TextProblem.TOO_LONG:
        raise refused(RefusalCode.TOO_LONG, f"a hashtag has at most {MAX_HASHTAG_LENGTH} characters", "name")
    if problem is TextProblem.BLANK:
        raise refused(RefusalCode.BLANK, "name must not be blank", "name")
    normalised = normalise_hashtag(bare)
    if normalised is None:
        raise refused(RefusalCode.INVALID, "a hashtag consists of letters, digits and underscores, with a letter", "name")
    return normalised


def to_hashtag_name(name: str) -> str | None:
    """The same; None for what cannot be a hashtag's name."""
    return normalise_hashtag(_without_sign(name))


def _without_sign(name: str) -> str:
    bare = name.strip()
    return bare[1:] if bare[:1] and bare[0] in _SIGNS else bare
