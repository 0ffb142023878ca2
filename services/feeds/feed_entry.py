"""From judged reasons to an entry of somebody's feed: the same for pages, live events and payloads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from domain.feed import FeedDelivery, FeedEntry, FeedReason, FeedReasonKind
from domain.feed_rule import Verdict
from domain.records import Delivery, PostFacts

_NOT_MADE: list[FeedReason] = []
MAX_NAMED = 8
"""People whom a reason names; it counts all."""


def make_entry(seal: Callable[[int], str], facts: PostFacts, named: Sequence[Verdict]) -> FeedEntry:
    """A shown reason as an entry; `named`: the valid reasons it stands for, oldest first.

    `seal`: the cursors of the walk that it is met on, see `place_sealer`.
    """
    return FeedEntry(partial(seal, facts.post.id), facts, partial(reasons_of, named))


class AuthorsEntry(FeedEntry):
    """A post that is shown for no other reason than that its author is followed: nearly every entry of nearly every page."""

    __slots__ = ("_seal",)

    def __init__(self, seal: Callable[[int], str], facts: PostFacts) -> None:
        self.facts = facts
        self._seal = seal
        self._cursor = ""
        self._reasons = _NOT_MADE

    @property
    def cursor(self) -> str:
        cursor = self._cursor
        if not cursor:
            cursor = self._cursor = self._seal(self.facts.post.id)
        return cursor  # type: ignore[return-value]

    @property
    def reasons(self) -> list[FeedReason]:
        if self._reasons is _NOT_MADE:
            facts = self.facts
            self._reasons = [FeedReason(FeedReasonKind.FOLLOWED_AUTHOR, _delivery(facts), [facts.author], 1)]
        return self._reasons  # type: ignore[return-value]

    def with_cursor(self, cursor: str) -> FeedEntry:
        return FeedEntry(cursor, self.facts, self.reasons)


def reasons_of(named: Sequence[Verdict]) -> list[FeedReason]:
    """The valid reasons as the reader is told: one a kind, and one a hashtag."""
    reasons: list[FeedReason] = []
    sharers: list[Verdict] = []
    for verdict in named:
        facts = verdict.reason.facts
        for kind in verdict.kinds:
            if kind is FeedReasonKind.OWN_POST:
                reasons.append(FeedReason(kind, FeedDelivery.PULLED, [], 0))
            elif kind is FeedReasonKind.FOLLOWED_AUTHOR:
                reasons.append(FeedReason(kind, _delivery(facts), [facts.author], 1))
            elif kind is FeedReasonKind.FOLLOWED_HASHTAG:
                reasons += [FeedReason(kind, FeedDelivery.PULLED, [], 0, tag) for tag in verdict.reason.hashtag_ids]
            else:
                sharers.append(verdict)
    if sharers:
        newest_first = [verdict.reason.facts for verdict in reversed(sharers)]
        users = [facts.author for facts in newest_first[:MAX_NAMED]]
        delivery = _delivery(newest_first[-1])
        reasons.append(FeedReason(FeedReasonKind.FOLLOWED_SHARER, delivery, users, len(newest_first)))
    return reasons


def reasons_of_own() -> list[FeedReason]:
    """The reasons of an own post that nothing else brings."""
    return [FeedReason(FeedReasonKind.OWN_POST, FeedDelivery.PULLED, [], 0)]


def _delivery(facts: PostFacts) -> FeedDelivery:
    """What is not decided yet is merged when read."""
    return FeedDelivery.PUSHED if facts.post.delivery is Delivery.PUSH else FeedDelivery.PULLED
