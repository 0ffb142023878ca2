"""Subscriptions as transports see them: answers are put into a sink, one after the other, as long as it has room."""

from __future__ import annotations

from typing import Any, Protocol


class LiveSink(Protocol):
    """Where the answers to one subscription go. Called in the event loop; every method returns at once."""

    @property
    def has_room(self) -> bool:
        """Whether more may be put now. What is put all the same is taken, but nobody goes on putting."""

    def put(self, payload: bytes, cursor: str | None) -> None:
        """One answer: a GraphQL response as JSON. `cursor`: where a client that has taken it resumes; None: nowhere else."""

    def fail(self, errors: list[dict[str, Any]]) -> None:
        """It has ended by these errors; nothing follows."""

    def complete(self) -> None:
        """It has ended by itself; nothing follows."""


class LiveSubscription(Protocol):
    """One running subscription."""

    def go_on(self) -> None:
        """The sink has room again."""

    def say_goodbye(self) -> None:
        """The process is about to end: puts what lets the client resume without a gap, where there is such a thing."""

    def close(self) -> None:
        """Ends it: nothing is put any more. A second time changes nothing."""
