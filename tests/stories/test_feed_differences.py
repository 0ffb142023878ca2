"""Old page and differences make the fresh page, in random walks; the short form: always the same ones."""

from __future__ import annotations

import pytest

from settings import Settings
from tests.stories.difference_walk import DifferenceMachine, open_difference_ground, take_difference_walks

WALKS = 6
STEPS = 40


@pytest.mark.timeout(600)  # for shortening, where there is something to shorten
def test_what_clients_are_told_makes_their_feeds(settings: Settings) -> None:
    before = DifferenceMachine.progress.walks
    with open_difference_ground(settings):
        take_difference_walks(seed_number=1, walks=WALKS, steps=STEPS)
    assert DifferenceMachine.progress.walks - before >= WALKS
