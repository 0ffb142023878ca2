"""From judged reasons to an entry of somebody's feed: the same for pages, live events and payloads."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from domain.feed import FeedDelivery, FeedEntry, FeedReason, FeedReasonKind
from domain.feed_rule import Verdict
from domain.records import Delivery, PostFacts

MAX_NAMED = 8
"""People whom a reason names; it counts all."""


def make_entry(cursor: str, facts: PostFacts, named: Sequence[Verdict]) -> FeedEntry:
    """A shown reason as an entry; `named`: the valid reasons it stands for, oldest first."""
    return FeedEntry.of(cursor, facts, makes_reasons(named))


def makes_reasons(named: Sequence[Verdict]) -> Callable[[PostFacts], list[FeedReason]]:
    """`reasons_of`, for when it is asked for."""
    return lambda _facts: reasons_of(named)


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


def reasons_of_own(_facts: PostFacts) -> list[FeedReason]:
    """The reasons of an own post that nothing else brings."""
    return [FeedReason(FeedReasonKind.OWN_POST, FeedDelivery.PULLED, [], 0)]


def reasons_of_author(facts: PostFacts) -> list[FeedReason]:
    """The reasons of a post that is shown for no other than that its author is followed: nearly every one of every page."""
    return [FeedReason(FeedReasonKind.FOLLOWED_AUTHOR, _delivery(facts), [facts.author], 1)]


def _delivery(facts: PostFacts) -> FeedDelivery:
    """What is not decided yet is merged when read."""
    return FeedDelivery.PUSHED if facts.post.delivery is Delivery.PUSH else FeedDelivery.PULLED
