"""What use cases report of themselves. Who counts it, and how, is the process's affair."""

from __future__ import annotations

from typing import Protocol


class Observer(Protocol):
    """Receives measurements; must return at once and never raise."""

    def feed_was_read(self, *, source: str, seconds: float) -> None:
        """A page was made. `source`: warm, cold, building (timeline in the cache) or database (cache away)."""

    def timeline_was_rebuilt(self) -> None:
        """A cold timeline was made from the database, by the one reader who had claimed it."""

    def post_was_delivered(self, *, outcome: str, lag_seconds: float, timelines: int) -> None:
        """An outbox row was closed. `lag_seconds`: from the commit of the change to the last timeline."""

    def budget_was_exhausted(self, *, budget: str) -> None:
        """Somebody was refused because a budget of this name did not suffice."""

    def publication_was_refused(self, *, rule: str) -> None:
        """A text was refused by the rule of this name."""


class SilentObserver:
    """Counts nothing: for commands and tests."""

    def feed_was_read(self, *, source: str, seconds: float) -> None:
        return None

    def timeline_was_rebuilt(self) -> None:
        return None

    def post_was_delivered(self, *, outcome: str, lag_seconds: float, timelines: int) -> None:
        return None

    def budget_was_exhausted(self, *, budget: str) -> None:
        return None

    def publication_was_refused(self, *, rule: str) -> None:
        return None
