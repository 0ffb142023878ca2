"""For every change and every live viewer whose feed it alters, the logs name a row that tells of it."""

from __future__ import annotations

import pytest

from services.backends import Backends
from services.fan_out import deliver_event as deliver_module
from services.fan_out.routes import Routes, choose_routes
from tests.stories.log_walk import take_walk
from tests.stories.scene import Ground

WALKS = 4
STEPS = 25


async def test_whoever_is_live_is_told_of_every_change(backends: Backends) -> None:
    async with Ground.open(backends) as ground:
        assert sum([await take_walk(ground, seed=seed, steps=STEPS) for seed in range(WALKS)]) > 20 * WALKS


@pytest.mark.parametrize("forgotten", ["to_receivers", "to_all"])
async def test_the_walks_would_notice(backends: Backends, monkeypatch: pytest.MonkeyPatch, forgotten: str) -> None:
    def forgetful(*arguments: object) -> Routes:
        routes = choose_routes(*arguments)  # type: ignore[arg-type]
        return Routes(routes.to_receivers and forgotten != "to_receivers", routes.to_all and forgotten != "to_all")

    monkeypatch.setattr(deliver_module, "choose_routes", forgetful)
    async with Ground.open(backends) as ground:
        with pytest.raises(AssertionError, match="is not told"):
            await _take_many(ground)


async def _take_many(ground: Ground) -> None:
    for seed in range(20):
        await take_walk(ground, seed=seed, steps=STEPS)
