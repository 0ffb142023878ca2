"""What a viewer wants the home feed to be like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.errors import RefusalCode, refused
from domain.feed import FeedOrder
from domain.text import TextProblem, check_line

MAX_MUTED_WORDS = 200
MAX_MUTED_WORD_LENGTH = 100
"""Code points."""


@dataclass(frozen=True, slots=True)
class FeedPreferences:
    """`muted_words` as they were given; `hide_seen` counts in LATEST order only."""

    default_order: FeedOrder = FeedOrder.LATEST
    muted_words: tuple[str, ...] = ()
    hide_shares: bool = False
    hide_seen: bool = False

    def to_settings(self) -> dict[str, Any]:
        """As they are stored with the account: only what differs from the defaults."""
        stored: dict[str, Any] = {}
        if self.default_order is not FeedOrder.LATEST:
            stored["order"] = self.default_order.value
        if self.muted_words:
            stored["muted_words"] = list(self.muted_words)
        if self.hide_shares:
            stored["hide_shares"] = True
        if self.hide_seen:
            stored["hide_seen"] = True
        return stored

    @classmethod
    def from_settings(cls, stored: Mapping[str, Any]) -> FeedPreferences:
        """What `to_settings` made."""
        if not stored:
            return NO_PREFERENCES
        return cls(
            default_order=FeedOrder(stored.get("order", FeedOrder.LATEST)),
            muted_words=tuple(stored.get("muted_words", ())),
            hide_shares=stored.get("hide_shares", False),
            hide_seen=stored.get("hide_seen", False),
        )


NO_PREFERENCES = FeedPreferences()


def check_muted_words(words: Sequence[str]) -> tuple[str, ...]:
    """The words as they are kept: trimmed, in their order, each once without regard to case.

    Raises RefusedError for the first that is not acceptable: BLANK, TOO_LONG, INVALID, or one too many: LIMIT_REACHED.
    """
    kept: dict[str, str] = {}
    for index, word in enumerate(map(str.strip, words)):
        path = ("mutedWords", str(index))
        problem = check_line(word, MAX_MUTED_WORD_LENGTH)
        if problem is TextProblem.BLANK:
            raise refused(RefusalCode.BLANK, "a muted word must not be blank", *path)
        if problem is TextProblem.TOO_LONG:
            raise refused(RefusalCode.TOO_LONG, f"a muted word has at most {MAX_MUTED_WORD_LENGTH} characters", *path)
        if problem is TextProblem.INVALID:
            raise refused(RefusalCode.INVALID, "a muted word holds no control characters", *path)
        kept.setdefault(word.casefold(), word)
        if len(kept) > MAX_MUTED_WORDS:
            raise refused(RefusalCode.LIMIT_REACHED, f"at most {MAX_MUTED_WORDS} words can be muted", *path)
    return tuple(kept.values())
