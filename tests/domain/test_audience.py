from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from domain.audience import RATE_WINDOW_SECONDS, Audience, AudienceRule, choose_delivery
from domain.records import Delivery

RULE = AudienceRule(celebrity_threshold=1_000, writes_per_second=100.0, hysteresis=0.1)
HOUR = RATE_WINDOW_SECONDS

audiences = some.builds(Audience, some.integers(0, 3_000), some.integers(1, 3_000), some.booleans())
rules = some.builds(
    AudienceRule,
    some.integers(1, 3_000),
    some.floats(0.01, 3_000.0) | some.just(float("inf")),
    some.floats(0.0, 0.99),
)


@pytest.mark.parametrize(
    ("audience", "delivery"),
    [
        (Audience(999, 1), Delivery.PUSH),
        (Audience(1_000, 1), Delivery.PULL),
        (Audience(500, HOUR // 5), Delivery.PUSH),  # 500 followers, a post each five seconds: 100 a second
        (Audience(500, HOUR // 5 + 1), Delivery.PULL),
        (Audience(900, 1, was_pulled=True), Delivery.PULL),
        (Audience(899, 1, was_pulled=True), Delivery.PUSH),
        (Audience(500, HOUR // 500 * 90, was_pulled=True), Delivery.PUSH),
        (Audience(500, HOUR // 5 - 71, was_pulled=True), Delivery.PULL),
        (Audience(0, 1, was_pulled=True), Delivery.PUSH),
    ],
)
def test_the_border(audience: Audience, delivery: Delivery) -> None:
    assert choose_delivery(audience, RULE) is delivery


@given(audiences, rules)
def test_nothing_is_pushed_at_or_above_the_threshold_or_beyond_the_capacity(audience: Audience, rule: AudienceRule) -> None:
    if choose_delivery(audience, rule) is Delivery.PUSH:
        assert audience.follower_count < rule.celebrity_threshold
        assert audience.writes_per_second <= rule.writes_per_second


@given(audiences, rules)
def test_having_been_pulled_never_makes_a_push(audience: Audience, rule: AudienceRule) -> None:
    pulled = Audience(audience.follower_count, audience.recent_posts, was_pulled=True)
    pushed = Audience(audience.follower_count, audience.recent_posts, was_pulled=False)
    if choose_delivery(pushed, rule) is Delivery.PULL:
        assert choose_delivery(pulled, rule) is Delivery.PULL


@given(audiences, rules, some.integers(0, 100), some.integers(0, 100))
def test_more_followers_or_posts_never_make_a_push(audience: Audience, rule: AudienceRule, more: int, faster: int) -> None:
    larger = Audience(audience.follower_count + more, audience.recent_posts + faster, audience.was_pulled)
    if choose_delivery(audience, rule) is Delivery.PULL:
        assert choose_delivery(larger, rule) is Delivery.PULL


@given(some.lists(some.integers(901, 1_100), min_size=2, max_size=60))
def test_who_wavers_within_the_margin_changes_sides_at_most_once(follower_counts: list[int]) -> None:
    changes, was_pulled = 0, False
    for follower_count in follower_counts:
        is_pulled = choose_delivery(Audience(follower_count, 1, was_pulled), RULE) is Delivery.PULL
        changes += is_pulled is not was_pulled
        was_pulled = is_pulled
    assert changes <= 1
