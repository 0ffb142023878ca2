"""Whose event logs hear of an outbox row. Pure.

Its author always does (of a changed feed its viewer). Whoever receives the author's posts hears of what was pushed. What may
concern others too goes to the log for all: pulled posts, posts with hashtags (somebody may follow one), what others have
shared or quoted, and what is not decided yet, since readers find such posts before workers do.
"""

from __future__ import annotations

from dataclasses import dataclass

from db.outbox import LeasedEvent, OutboxKind
from db.posts import FanOutFacts
from domain.event_log import LogEntry
from domain.records import Delivery, Visibility


@dataclass(frozen=True, slots=True)
class Routes:
    """Besides the author. `to_receivers`: they are gone through, for their logs or their timelines."""

    to_receivers: bool
    to_all: bool


def entry_of(event: LeasedEvent) -> LogEntry:
    """The row in a log. A post that is published again was there before, so that is no mere publication."""
    return LogEntry(event.id, event.transaction_id, event.kind is OutboxKind.POST_PUBLISHED and not event.is_change)


def is_awaited(event: LeasedEvent, facts: FanOutFacts) -> bool:
    """Whether it promises a post that there is still to be delivered. A later row tells of what became of it meanwhile."""
    return event.kind is OutboxKind.POST_PUBLISHED and not facts.is_deleted and facts.visibility is not Visibility.PRIVATE


def choose_routes(event: LeasedEvent, facts: FanOutFacts, delivery: Delivery | None) -> Routes:
    """For the row of a post. `delivery`: decided by now where the post is awaited."""
    if event.kind is OutboxKind.POST_PUBLISHED:
        is_seen = is_awaited(event, facts)
        is_whole_story = not event.is_change
    else:
        # Of a private post nobody but its author ever saw this change; what is deleted is as it was last.
        is_private = facts.visibility is Visibility.PRIVATE if event.kind is OutboxKind.POST_DELETED else event.was_private
        is_seen, is_whole_story = not is_private, False
    is_pushed = delivery is Delivery.PUSH
    has_others = facts.has_hashtags or event.had_hashtags or (facts.is_shared and not is_whole_story)
    return Routes(
        to_receivers=is_pushed and (is_seen or event.kind is OutboxKind.POST_DELETED),
        to_all=is_seen and (not is_pushed or has_others),
    )
