"""Tests of what is counted with every request."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram

from app.tally import Tally, Times, TimesTally, hand_on_all

_BUCKETS = (0.1, 0.5, 2.0)


@given(st.lists(st.sampled_from([0.0, 0.05, 0.1, 0.1001, 0.5, 1.0, 2.0, 7.0])))
def test_many_observations_are_as_many_single_ones(amounts: list[float]) -> None:
    together, one_by_one = CollectorRegistry(), CollectorRegistry()
    Times("seconds", "Seconds.", buckets=_BUCKETS, registry=together).observe_many(amounts)
    single = Histogram("seconds", "Seconds.", buckets=_BUCKETS, registry=one_by_one)
    for amount in amounts:
        single.observe(amount)
    for name in ("seconds_count", "seconds_bucket"):
        for bound in ("0.1", "0.5", "2.0", "+Inf"):
            labels = {"le": bound} if name.endswith("bucket") else {}
            assert together.get_sample_value(name, labels) == one_by_one.get_sample_value(name, labels)


async def test_they_are_handed_on_by_and_by_and_when_somebody_looks() -> None:
    registry = CollectorRegistry()
    times = Times("seconds", "Seconds.", ["source"], buckets=_BUCKETS, registry=registry)
    kept = TimesTally(times.labels(source="warm"))
    tally = Tally(Counter("requests", "Requests.", registry=registry))
    for _ in range(1_500):
        tally.inc()
        kept.observe(0.2)
    hand_on_all()
    assert registry.get_sample_value("requests_total") == 1_500
    assert registry.get_sample_value("seconds_bucket", {"source": "warm", "le": "0.5"}) == 1_500
    tally.inc()
    assert registry.get_sample_value("requests_total") == 1_500
    async with asyncio.timeout(5):
        while registry.get_sample_value("requests_total") != 1_501:
            await asyncio.sleep(0.05)
