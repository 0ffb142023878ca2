"""Push or pull: how a post reaches its followers. The rule is pure; the choice is stored with the post and never changes."""

from __future__ import annotations

from domain.records import Delivery


def choose_delivery(*, follower_count: int, celebrity_threshold: int) -> Delivery:
    """PULL for authors at or above the threshold: writing to so many timelines costs more than merging when read."""
    return Delivery.PULL if follower_count >= celebrity_threshold else Delivery.PUSH
