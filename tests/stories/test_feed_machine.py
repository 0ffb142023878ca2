"""Random walks, the short form: always the same ones. `make check-feeds` takes thousands of others."""

from __future__ import annotations

import pytest

from settings import Settings
from tests.stories.feed_walk import FeedMachine, open_ground, take_walks

WALKS = 14
STEPS = 40


@pytest.mark.timeout(600)  # for shortening, where there is something to shorten
def test_every_page_of_a_random_walk_is_the_truth(settings: Settings) -> None:
    before = FeedMachine.progress.walks
    with open_ground(settings):
        take_walks(seed_number=1, walks=WALKS, steps=STEPS)
    assert FeedMachine.progress.walks - before >= WALKS
