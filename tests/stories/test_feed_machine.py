"""Random walks, the short form. `make check-feeds` takes thousands of them."""

from __future__ import annotations

import pytest

from services.backends import Backends
from tests.stories.feed_walk import make_walk, shrink, take_walk

LENGTH = 50


@pytest.mark.parametrize("seed", range(4))
async def test_every_page_of_a_random_walk_is_the_truth(backends: Backends, seed: int) -> None:
    steps = make_walk(seed, length=LENGTH)
    difference = await take_walk(backends, steps)
    if difference is not None:

        async def fails(shorter: object) -> bool:
            return await take_walk(backends, shorter) is not None  # type: ignore[arg-type]

        shorter = await shrink(steps, fails)
        pytest.fail(f"{difference}\nshorter: {[str(step) for step in shorter]}\n{await take_walk(backends, shorter)}")
