"""Push or pull: how a post reaches its followers. The rule is pure; the choice is stored with the post and never changes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from domain.records import Delivery

RATE_WINDOW_SECONDS = 3_600
"""The recent posting rate is that of the last hour."""


@dataclass(frozen=True, slots=True)
class Audience:
    """What the choice looks at. `recent_posts`: posts and shares of the author within RATE_WINDOW_SECONDS up to the post
    itself, which counts. `was_pulled`: whether the last decided one before it is pulled."""

    follower_count: int
    recent_posts: int = 1
    was_pulled: bool = False

    @property
    def writes_per_second(self) -> float:
        """Timeline entries a second that the author causes where everything is pushed."""
        return self.follower_count * self.recent_posts / RATE_WINDOW_SECONDS


@dataclass(frozen=True, slots=True)
class AudienceRule:
    """The tunable numbers. `writes_per_second`: what the workers are trusted with for one author, timeline entries a second.

    `hysteresis`: share (0 to below 1) of both limits by which a pulled author must fall below them to be pushed again.
    """

    celebrity_threshold: int
    writes_per_second: float = math.inf
    hysteresis: float = 0.0


def choose_delivery(audience: Audience, rule: AudienceRule) -> Delivery:
    """PULL where writing costs more than merging when read: many followers, or fewer who would be written to very often.

    An author at the border does not flap: once pulled, both figures must fall clearly below their limits. At or above the
    threshold nothing is ever pushed.
    """
    if audience.follower_count >= rule.celebrity_threshold or audience.writes_per_second > rule.writes_per_second:
        return Delivery.PULL
    if audience.was_pulled:
        keep = 1.0 - rule.hysteresis
        is_clearly_below = (
            audience.follower_count < rule.celebrity_threshold * keep
            and audience.writes_per_second < rule.writes_per_second * keep
        )
        if not is_clearly_below:
            return Delivery.PULL
    return Delivery.PUSH
