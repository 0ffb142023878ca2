"""What a viewer wants the home feed to be like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.feed import FeedOrder


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
